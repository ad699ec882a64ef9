"""Reading settings: JSON files laid over each other, the environment filled in, errors located."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from agent.errors import ConfigProblem

T = TypeVar("T")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_STEP = re.compile(r"\.(\w+)|\[(?:(\d+)|\.\.\.)\]")
"""A step of the path in msgspec's messages: a field, a number in a list, some key of a table."""


def load(paths: Sequence[Path], shape: type[T], environment: Mapping[str, str] = os.environ) -> T:
    """Later files are laid over earlier ones: objects merge, lists and scalars replace.

    `${NAME}` and `${NAME:-default}` in strings are filled in from the environment; a value that is
    nothing else may stand for a number, true or false. Raises ConfigProblem naming the file, the
    key, and what is allowed.
    """
    files = [(path, _read(path)) for path in paths]
    layers: list[Any] = []
    for scalar in (_scalar, str):
        layers = [{}]
        for path, content in files:
            layers.append(_laid_over(layers[-1], _filled_in(content, environment, path, scalar)))
        with suppress(msgspec.ValidationError):
            return msgspec.convert(layers[-1], shape)
    raise _complaint(paths, layers[1:], shape)


def _complaint(paths: Sequence[Path], layers: Sequence[Any], shape: Any) -> ConfigProblem:
    """About the first file that made it wrong."""
    return next(
        ConfigProblem(f"{path}: {_located(error, layer, shape)}")
        for path, layer in zip(paths, layers, strict=True)
        if (error := _error(layer, shape)) is not None
    )


def _error(value: Any, shape: Any) -> str | None:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        return str(error)
    return None


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


def _filled_in(
    value: Any, environment: Mapping[str, str], path: Path, scalar: Callable[[str], Any]
) -> Any:
    """`scalar` reads what a value is that was nothing but a variable."""
    if isinstance(value, dict):
        return {k: _filled_in(v, environment, path, scalar) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled_in(v, environment, path, scalar) for v in value]
    if not isinstance(value, str):
        return value

    def filled(found: re.Match[str]) -> str:
        name, default = found.groups()
        known = environment.get(name)
        if not known and default is not None:
            known = default
        if known is None:
            raise ConfigProblem(
                f"{path}: ${{{name}}} is not set. Set it, or write ${{{name}:-default}}."
            )
        return known

    text = _VARIABLE.sub(filled, value)
    return scalar(text) if _VARIABLE.fullmatch(value) else text


def _scalar(text: str) -> str | float | bool:
    """`5` is a number and `true` is true; all else is the text it is."""
    try:
        return msgspec.json.decode(text, type=int | float | bool)
    except (msgspec.DecodeError, UnicodeError):
        return text


def _located(error: str, value: Any, shape: Any) -> str:
    """msgspec's message with the key first, and the keys there are where one is unknown."""
    what, _, where = error.partition(" - at `$")
    key = ""
    for field, number in _STEP.findall(where):
        shape = _below(shape, field)
        if field:
            key, value = f"{key}.{field}", value[field]
        elif number:
            key, value = f"{key}[{number}]", value[int(number)]
        else:  # msgspec does not say under which key of a table
            name = next(k for k, v in value.items() if _error(v, shape) is not None)
            key, value = f"{key}.{name}", value[name]
    unknown = re.search(r"unknown field `([^`]*)`", what)
    if unknown is None:
        return f"`{key.lstrip('.') or 'the whole file'}`: {what}."
    named = f"{key}.{unknown[1]}".lstrip(".")
    allowed = ", ".join(f.encode_name for f in msgspec.structs.fields(_plain(shape)))
    return f"`{named}` is not a setting. There are: {allowed}."


def _below(shape: Any, field: str) -> Any:
    """The type of a struct's field, or of what a table or a list holds."""
    plain = _plain(shape)
    if field:
        return next(f.type for f in msgspec.structs.fields(plain) if f.encode_name == field)
    held = get_args(plain)
    return held[-1] if get_origin(plain) is dict else held[0]


def _plain(shape: Any) -> Any:
    """Without bounds, and without `| None`."""
    if get_origin(shape) is Annotated:
        return _plain(get_args(shape)[0])
    if get_origin(shape) in (Union, UnionType):
        return _plain(next(kind for kind in get_args(shape) if kind is not NoneType))
    return shape
