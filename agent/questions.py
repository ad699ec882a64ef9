"""Forms of servers of tools: read from the flat JSON Schema that may ask, answers held to them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, assert_never, get_args
from urllib.parse import urlsplit

import msgspec

from agent.protocol import Choice, Field, FieldKind, Format, JsonObject

MOST_FIELDS = 50
MOST_CHOICES = 500
"""Of all fields of a form."""
LONGEST_TITLE = 500
LONGEST_NAME = 200
"""Characters of a field's name, and of a value that may be chosen."""
LONGEST_ANSWER = 10_000
_PLAIN: Mapping[str, FieldKind] = {
    "string": "string",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "string": ("minLength", "maxLength"),
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "choices": ("minItems", "maxItems"),
}


def form_of(schema: JsonObject) -> tuple[Field, ...] | None:
    """None where it is no form that a person can be shown: nested, too large, not understood."""
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or len(properties) > MOST_FIELDS:
        return None
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    found = [_field(name, rule, name in needed) for name, rule in properties.items()]
    fields = tuple(field for field in found if field is not None)
    fits = len(fields) == len(found) and sum(len(f.choices) for f in fields) <= MOST_CHOICES
    return fields if fits else None


def page_of(url: str) -> str | None:
    """The host whose page it is; None where it is no page that a person should open."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_ANSWER
    fits = parts.scheme in ("http", "https") and plain and parts.username is None
    return host if fits else None


def misfit(fields: tuple[Field, ...], content: JsonObject) -> str | None:
    """What is wrong with an answer, naming the field; None: nothing."""
    known = {field.name: field for field in fields}
    for name, value in content.items():
        if name not in known:
            return f"`content.{name[:LONGEST_NAME]}`: nothing of that name is asked."
        if (wrong := _wrong(known[name], value)) is not None:
            return f"`content.{name}` {wrong}."
    missing = [f.name for f in fields if f.required and f.name not in content]
    return f"`content.{missing[0]}` is required." if missing else None


def _field(name: str, rule: Any, required: bool) -> Field | None:
    if not isinstance(rule, dict) or not 0 < len(name) <= LONGEST_NAME:
        return None
    choices = _choices(rule)
    kind = _kind(rule, choices)
    if kind is None or choices is None:
        return None
    least, most = (_number(rule.get(bound)) for bound in _BOUNDS.get(kind, ("", "")))
    field = Field(
        name=name,
        kind=kind,
        required=required,
        title=_text(rule.get("title")),
        description=_text(rule.get("description")),
        format=rule.get("format") if rule.get("format") in get_args(Format) else None,
        least=least,
        most=most,
        choices=choices,
    )
    return msgspec.structs.replace(field, default=_default(field, rule.get("default")))


def _kind(rule: JsonObject, choices: tuple[Choice, ...] | None) -> FieldKind | None:
    match rule.get("type"):
        case "array":
            return "choices" if choices else None
        case "string" if choices:
            return "choice"
        case str(plain):
            return _PLAIN.get(plain)
        case _:
            return "choice" if choices and "type" not in rule else None


def _choices(rule: JsonObject) -> tuple[Choice, ...] | None:
    """None where they cannot be read."""
    of = rule.get("items", {}) if rule.get("type") == "array" else rule
    if not isinstance(of, dict):
        return None
    named = of.get("oneOf", of.get("anyOf"))
    if isinstance(named, list):
        pairs = [(n.get("const"), n.get("title")) for n in named if isinstance(n, dict)]
    else:
        values, titles = of.get("enum", []), of.get("enumNames", [])
        if not isinstance(values, list) or not isinstance(titles, list):
            return None
        pairs = [(v, titles[n] if n < len(titles) else None) for n, v in enumerate(values)]
    choices = tuple(Choice(v, _text(t)) for v, t in pairs if isinstance(v, str))
    fit = len(choices) == len(pairs) and all(len(c.value) <= LONGEST_NAME for c in choices)
    return choices if fit else None


def _default(field: Field, value: Any) -> Any:
    if value is None or _wrong(field, value) is not None:
        return None
    return tuple(value) if isinstance(value, list) else value


def _wrong(field: Field, value: Any) -> str | None:
    match field.kind:
        case "boolean":
            return None if isinstance(value, bool) else "must be true or false"
        case "number" | "integer":
            return _wrong_number(field, value)
        case "choice":
            known = [choice.value for choice in field.choices]
            return None if value in known else f"must be one of {', '.join(known)[:LONGEST_TITLE]}"
        case "choices":
            return _wrong_choices(field, value)
        case "string":
            return _wrong_text(field, value)
        case _ as never:
            assert_never(never)


def _wrong_number(field: Field, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if field.kind == "integer" and value % 1:
        return "must be a whole number"
    return _out_of_bounds(field, value, "")


def _wrong_choices(field: Field, value: Any) -> str | None:
    known = [choice.value for choice in field.choices]
    if not isinstance(value, list) or any(value.count(v) > 1 or v not in known for v in value):
        return f"must be a list of different ones of {', '.join(known)[:LONGEST_TITLE]}"
    return _out_of_bounds(field, len(value), " values")


def _wrong_text(field: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a text"
    if len(value) > LONGEST_ANSWER:
        return f"has {len(value)} of {LONGEST_ANSWER} characters"
    if not _is_formatted(field.format, value):
        return f"must be of the format {field.format}"
    return _out_of_bounds(field, len(value), " characters")


def _is_formatted(format: Format | None, value: str) -> bool:
    try:
        match format:
            case "email":
                name, _, host = value.rpartition("@")
                return bool(name and host) and not any(map(str.isspace, value))
            case "uri":
                return bool(urlsplit(value).scheme)
            case "date":
                date.fromisoformat(value)
            case "date-time":
                datetime.fromisoformat(value)
            case None:
                pass
            case _ as never:
                assert_never(never)
    except ValueError:
        return False
    return True


def _out_of_bounds(field: Field, measured: float, of: str) -> str | None:
    if field.least is not None and measured < field.least:
        return f"must be at least {field.least:g}{of}"
    if field.most is not None and measured > field.most:
        return f"must be at most {field.most:g}{of}"
    return None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e15 else None


def _text(value: Any) -> str | None:
    return value[:LONGEST_TITLE] if isinstance(value, str) and value else None
