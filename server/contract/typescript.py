"""The frames of the wire as TypeScript types, made of their schema."""

import sys
from collections.abc import Iterator, Sequence

from agent.protocol import JsonObject
from server.contract.frames import (
    ANSWERS,
    BOARD,
    EVENTS,
    LIVE,
    SUBMISSIONS,
    Shape,
    frame_schemas,
    name_of,
)

AT = "#/"
FIRST = (
    "// What travels on the sockets, made by `python -m server.contract.typescript`; not by hand."
)
ANY_JSON = """\
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}"""
UNIONS: Sequence[tuple[str, str, Sequence[Shape]]] = (
    ("Submission", "What a client asks of a session.", SUBMISSIONS),
    ("DurableEvent", "What is in the log.", EVENTS),
    ("Receipt", "What one submission is answered with.", ANSWERS),
    ("LiveFrame", "What a session's socket says beside the log.", LIVE),
    ("BoardFrame", "What the dashboard's socket says.", BOARD),
)
WORDS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def document() -> str:
    """The whole file."""
    shapes = [_interface(name, schema) for name, schema in frame_schemas(AT).items()]
    unions = [_union(name, says, [name_of(s) for s in those]) for name, says, those in UNIONS]
    both = "export type ServerFrame = DurableEvent | LiveFrame;"
    return "\n\n".join((FIRST, ANY_JSON, *shapes, *unions, both)) + "\n"


def _interface(name: str, schema: JsonObject) -> str:
    lines = [f"export interface {_pascal(name)} {{", *_fields(schema), "}"]
    return "\n".join((*_comment(schema), *lines))


def _comment(schema: JsonObject) -> Iterator[str]:
    if says := schema.get("description"):
        yield f"/** {' '.join(says.split())} */"


def _fields(schema: JsonObject) -> Iterator[str]:
    required = schema.get("required", ())
    for name, value in schema["properties"].items():
        yield f"  readonly {name}{'' if name in required else '?'}: {_type(value)};"


def _type(schema: JsonObject) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return _pascal(reference.removeprefix(AT))
        case {"enum": words}:
            return " | ".join(f"'{word}'" for word in words)
        case {"anyOf": choices}:
            return " | ".join(_type(choice) for choice in choices)
        case {"type": "array", "items": items}:
            inner = _type(items)
            return f"readonly ({inner})[]" if " | " in inner else f"readonly {inner}[]"
        case {"type": "object"}:
            return "JsonObject"
        case {"type": "null"}:
            return "null"
        case _:
            return WORDS[schema["type"]]


def _union(name: str, says: str, members: Sequence[str]) -> str:
    listed = "".join(f"\n  | {_pascal(member)}" for member in members)
    return f"/** {says} */\nexport type {name} ={listed};"


def _pascal(name: str) -> str:
    """user_message -> UserMessage; class names stay as they are."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


if __name__ == "__main__":
    sys.stdout.write(document())
