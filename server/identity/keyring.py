"""Credentials of users for services outside, which tools may use on their behalf."""

from collections.abc import Mapping

from agent.tools.port import Keys
from server.identity.gate import DEV


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
