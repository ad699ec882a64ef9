"""What a job is to do: its command, its variables and its name, from what was asked for."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from agent.errors import Problem
from agent.tools.port import Keys

SCRIPT_IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
COMMAND_IMAGE = "python:3.12"
_RUN = 'printf %s "$UV_SCRIPT" | base64 -d > /tmp/script.py && exec uv run "$@" /tmp/script.py'


class Asked(Protocol):
    @property
    def script(self) -> str | None: ...
    @property
    def command(self) -> tuple[str, ...] | None: ...
    @property
    def dependencies(self) -> tuple[str, ...]: ...
    @property
    def title(self) -> str | None: ...
    @property
    def image(self) -> str | None: ...
    @property
    def env(self) -> dict[str, str] | None: ...
    @property
    def secrets(self) -> tuple[str, ...]: ...


class Spec(Struct, frozen=True):
    image: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    title: str
    name: str
    """The title as the Hub takes it."""


def spec_of(asked: Asked, keys: Keys) -> Spec:
    """Raises Problem `bad_arguments`. The library is never given a path: it would read the file
    of this server that bears it."""
    if (asked.script is None) == (asked.command is None):
        raise Problem("bad_arguments", "Give a script or a command, and not both.")
    env = {"PYTHONUNBUFFERED": "1", **(asked.env or {})}
    if asked.script is None:
        command = asked.command or ()
        if not command or not command[0].strip():
            raise Problem("bad_arguments", "`command` names no program.")
        title = asked.title or " ".join(command)
        return _spec(asked, keys, command, env, title, COMMAND_IMAGE)
    _is_code(asked.script)
    env["UV_SCRIPT"] = base64.b64encode(asked.script.encode(errors="replace")).decode()
    needs = tuple(part for name in asked.dependencies for part in ("--with", name))
    command = ("bash", "-c", _RUN, "bash", *needs)
    title = asked.title or next((li for li in asked.script.splitlines() if li.strip()), "")
    return _spec(asked, keys, command, env, title, SCRIPT_IMAGE)


def _spec(
    asked: Asked,
    keys: Keys,
    command: Sequence[str],
    env: Mapping[str, str],
    title: str,
    image: str,
) -> Spec:
    title = " ".join(title.strip("#\"' ").split())[:80] or "a job"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", title).strip("-") or "job"
    given = {secret: _given(secret, keys) for secret in asked.secrets}
    return Spec(asked.image or image, tuple(command), env, given, title, name)


def _given(name: str, keys: Keys) -> str:
    """By its name, which the user saw when the call was approved."""
    if (value := keys.secret(name)) is None:
        there = ", ".join(keys.names()) or "none"
        raise Problem("bad_arguments", f"The user has no secret {name}. There are: {there}.")
    return value


def _is_code(script: str) -> None:
    """A path would hide from the user what is about to run."""
    if "\n" not in script.strip() and re.fullmatch(r"\S+\.py", script.strip()):
        raise Problem(
            "bad_arguments",
            "`script` takes the code itself, so that the user sees what runs. Read the file and"
            " pass its text.",
        )
