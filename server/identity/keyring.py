"""Credentials of users for services outside, which tools may use on their behalf."""

import re
from collections.abc import Mapping

from agent.tools.port import Keys
from server.identity.gate import DEV

_NAMED = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)


def credentials(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What must not be shown to anybody, going by the names of the variables."""
    return tuple(value for name, value in environment.items() if value and _NAMED.search(name))


class KeyRing:
    """`environment` holds HF_TOKEN and GITHUB_TOKEN of whoever started the server, which are the
    dev user's own. Nobody else has any yet."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def of(self, owner: str) -> Keys:
        return _Keys(self._environment if owner == DEV.id else {})


class _Keys:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def hub(self) -> str | None:
        return self._environment.get("HF_TOKEN") or None

    def github(self) -> str | None:
        return self._environment.get("GITHUB_TOKEN") or None
