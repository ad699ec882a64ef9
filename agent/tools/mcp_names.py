"""What a server offers, as models are told of it: names that all providers take, schemas."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from agent.nesting import too_deep
from agent.protocol import JsonObject

LONGEST_NAME = 64
LARGEST_SCHEMA = 20_000
"""Bytes of a schema as JSON; the model is shown a larger one as any object."""
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def names_of(server: str, tools: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """The name that each tool has here -> its own; the same whatever else the server offers.

    `server` has no `_` in it, so that no two servers can mean the same name. One that had to be
    changed carries a mark of what it was. What would still be somebody else's is left out.
    """
    names: dict[str, str] = {}
    for tool in tools:
        name = _name(server, tool)
        if name not in names and name not in taken:
            names[name] = tool
    return names


def _name(server: str, tool: str) -> str:
    plain = f"mcp_{server}_{tool}"
    fit = _UNFIT.sub("_", plain)
    if fit == plain and len(fit) <= LONGEST_NAME:
        return fit
    mark = hashlib.sha256(tool.encode(errors="replace")).hexdigest()[:8]
    return f"{fit[: LONGEST_NAME - len(mark) - 1]}_{mark}"


def told(schema: JsonObject) -> JsonObject | None:
    """The schema of an object, as it is; None where the model cannot be shown it."""
    if too_deep(schema) or len(msgspec.json.encode(schema)) > LARGEST_SCHEMA:
        return None
    if schema.get("type", "object") != "object":
        return None
    return {"type": "object", "properties": {}, **schema}


def wrong_with(schema: JsonObject, arguments: JsonObject) -> str | None:
    """What can be seen at a glance; the server judges the rest. None: nothing.

    No pattern of the schema is run here: it is the server's, and might never end.
    """
    properties = schema.get("properties")
    known: JsonObject = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    missing = [name for name in _strings(required) if name not in arguments]
    if missing:
        return f"missing: {', '.join(missing)}"
    if schema.get("additionalProperties") is False:
        strange = [name for name in arguments if name not in known]
        if strange and not schema.get("patternProperties"):
            return f"unknown: {', '.join(strange)}"
    for name, value in arguments.items():
        if (wrong := _wrong(known.get(name), value)) is not None:
            return f"`{name}` {wrong}"
    return None


def _wrong(rule: Any, value: Any) -> str | None:
    if not isinstance(rule, dict):
        return None
    kinds = rule.get("type")
    named = [kinds] if isinstance(kinds, str) else _strings(kinds)
    if named and all(kind in _TYPES and not _is(value, kind) for kind in named):
        return f"must be of type {' or '.join(named)}"
    choices = rule.get("enum")
    if isinstance(choices, list) and value not in choices:
        return f"must be one of {msgspec.json.encode(choices).decode()[:500]}"
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind]) and not (
        kind == "integer" and isinstance(value, float) and not value.is_integer()
    )


def _strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
