"""A tool's arguments as the JSON Schema a model is given: one object, without references."""

from typing import Any

import msgspec
from msgspec import Struct

from agent.protocol import JsonObject

_REFERENCE = "#/$defs/"


def schema_of(arguments: type[Struct]) -> JsonObject:
    (schema,), named = msgspec.json.schema_components((arguments,), ref_template="#/$defs/{name}")
    whole: JsonObject = _inlined(schema, named)
    return whole


def _inlined(schema: Any, named: JsonObject) -> Any:
    """Definitions in the place of references: many servers know no references."""
    if isinstance(schema, list):
        return [_inlined(part, named) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return _inlined(named[reference.removeprefix(_REFERENCE)], named)
    return {
        key: {name: _inlined(part, named) for name, part in value.items()}
        if key == "properties"
        else _inlined(value, named)
        for key, value in schema.items()
        if key != "title"
    }
