"""Reading settings: JSON files laid over each other, the environment filled in, errors located."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from agent.errors import ConfigProblem

T = TypeVar("T")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def load(paths: Sequence[Path], shape: type[T], environment: Mapping[str, str] = os.environ) -> T:
    """Later files are laid over earlier ones: objects merge, lists and scalars replace.

    `${NAME}` and `${NAME:-default}` in strings are filled in from the environment. Raises
    ConfigProblem naming the file, the key, and what is allowed.
    """
    merged: Any = {}
    for path in paths:
        merged = _laid_over(merged, _filled_in(_read(path), environment, path))
    try:
        return msgspec.convert(merged, shape)
    except msgspec.ValidationError as error:
        raise ConfigProblem(f"{paths[-1]}: {_located(str(error), shape)}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise ConfigProblem(f"{path} cannot be read: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise ConfigProblem(f"{path} is not a JSON object: {error}.") from None


def _laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {k: _laid_over(below.get(k), v) for k, v in above.items()}


def _filled_in(value: Any, environment: Mapping[str, str], path: Path) -> Any:
    if isinstance(value, dict):
        return {k: _filled_in(v, environment, path) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled_in(v, environment, path) for v in value]
    if not isinstance(value, str):
        return value

    def filled(found: re.Match[str]) -> str:
        name, default = found.groups()
        known = environment.get(name) or default
        if known is None:
            raise ConfigProblem(
                f"{path}: ${{{name}}} is not set. Set it, or write ${{{name}:-default}}."
            )
        return known

    return _VARIABLE.sub(filled, value)


def _located(error: str, shape: type) -> str:
    """msgspec's message with the key first, and the keys there are where one is unknown."""
    what, _, where = error.partition(" - at `$")
    key = where.rstrip("`").lstrip(".") or "the whole file"
    unknown = re.search(r"unknown field `([^`]*)`", what)
    if unknown is None:
        return f"`{key}`: {what}."
    named = unknown[1] if not where else f"{key}.{unknown[1]}"
    allowed = ", ".join(_keys_at(shape, [] if not where else key.split(".")))
    return f"`{named}` is not a setting. There are: {allowed}."


def _keys_at(shape: Any, path: Sequence[str]) -> Sequence[str]:
    for name in path:
        plain = re.sub(r"\[.*", "", name)
        types = {f.encode_name: f.type for f in _fields(shape)}
        inner = types.get(plain, shape)
        shape = next((t for t in getattr(inner, "__args__", ()) if _fields(t)), inner)
    return [f.encode_name for f in _fields(shape)]


def _fields(shape: Any) -> Sequence[Any]:
    return msgspec.structs.fields(shape) if hasattr(shape, "__struct_fields__") else ()
