"""Credentials of users for services outside, which tools may use on their behalf."""

import re
from collections.abc import Mapping
from typing import Protocol

from agent.tools.mcp_grant import Login
from agent.tools.port import Keys
from server.identity.gate import DEV

_NAMED = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
HUB, GITHUB = "HF_TOKEN", "GITHUB_TOKEN"


def credentials(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What must not be shown to anybody, going by the names of the variables."""
    return tuple(value for name, value in environment.items() if value and _NAMED.search(name))


class Purses(Protocol):
    """What users keep secret, and what their log-ins brought."""

    def secret(self, owner: str, name: str) -> str | None: ...

    def names(self, owner: str) -> tuple[str, ...]: ...

    def hub(self, owner: str) -> str | None: ...


class ToolLogins(Protocol):
    """What users were granted at servers of tools."""

    def of(self, owner: str, server: str) -> Login | None: ...


class KeyRing:
    """`environment` holds HF_TOKEN and GITHUB_TOKEN of whoever started the server, which are the
    dev user's own; everybody has what they keep here themselves."""

    def __init__(self, environment: Mapping[str, str], purses: Purses, logins: ToolLogins) -> None:
        self._environment = environment
        self._purses = purses
        self._logins = logins

    def of(self, owner: str) -> Keys:
        own = self._environment if owner == DEV.id else {}
        return _Keys(owner, own, self._purses, self._logins)


class _Keys:
    """As they are at each moment: a session lives longer than a token."""

    def __init__(
        self, owner: str, environment: Mapping[str, str], purses: Purses, logins: ToolLogins
    ) -> None:
        self._owner = owner
        self._environment = environment
        self._purses = purses
        self._logins = logins

    def hub(self) -> str | None:
        """What somebody chose to keep here goes before what a log-in brought."""
        kept = self._purses.secret(self._owner, HUB) or self._purses.hub(self._owner)
        return kept or self._environment.get(HUB) or None

    def github(self) -> str | None:
        kept = self._purses.secret(self._owner, GITHUB)
        return kept or self._environment.get(GITHUB) or None

    def secret(self, name: str) -> str | None:
        if name in _OWN:
            return _OWN[name](self)
        return self._purses.secret(self._owner, name)

    def names(self) -> tuple[str, ...]:
        own = [name for name, has in _OWN.items() if has(self) is not None]
        return tuple(dict.fromkeys((*own, *self._purses.names(self._owner))))

    def login(self, server: str) -> Login | None:
        return self._logins.of(self._owner, server)


_OWN = {HUB: _Keys.hub, GITHUB: _Keys.github}
