"""Whose key a model is asked with: the user's own, else one that the server offers to everybody."""

import re
from collections.abc import Mapping
from typing import Protocol

HUB_TOKEN = "HF_TOKEN"
"""Acts for a person at the Hub, so that a server never offers its own to others."""
_WHOLE = re.compile(r"(?!AWS_)\w*(?:KEY|TOKEN)")
"""What is a key by itself; AWS signs with two values, which LiteLLM takes from the environment."""


class User(Protocol):
    """What somebody keeps secret, as it is now."""

    def secret(self, name: str) -> str | None: ...


class Host:
    """Whoever starts the server: what they keep is in the environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def secret(self, name: str) -> str | None:
        return self._environment.get(name) or None


def own(name: str, user: User) -> str | None:
    return user.secret(name) if _WHOLE.fullmatch(name) else None


def offered(name: str, environment: Mapping[str, str]) -> str | None:
    return None if name == HUB_TOKEN else environment.get(name) or None


def way_out(name: str) -> str:
    """What somebody without that key may do."""
    if name == HUB_TOKEN:
        return f"Keep {name} among your secrets, or, alone here, start the server with it."
    return f"Keep {name} among your secrets, or have the server started with it."
