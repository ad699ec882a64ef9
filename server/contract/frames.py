"""JSON Schema of every frame of either direction, made of the code that reads and writes them."""

from collections.abc import Sequence
from typing import TypeAlias, get_args

import msgspec
from msgspec import Struct

from agent.protocol import AnyEvent, AnySubmission, JsonObject
from server.wire import (
    Accepted,
    Bye,
    Fleet,
    Heartbeat,
    Hello,
    Pong,
    ReasoningDelta,
    Refused,
    Status,
    Synced,
    TextDelta,
    ToolLog,
)

Shape: TypeAlias = type[Struct]

SUBMISSIONS: tuple[Shape, ...] = get_args(AnySubmission)
"""What clients send."""
EVENTS: tuple[Shape, ...] = get_args(AnyEvent)
"""What is in the log."""
ANSWERS: tuple[Shape, ...] = (Accepted, Refused, Pong)
LIVE: tuple[Shape, ...] = (
    *(Hello, Synced, TextDelta, ReasoningDelta, ToolLog, Status, Heartbeat, Bye),
    *ANSWERS,
)
"""What a session's socket says beside the log."""
BOARD: tuple[Shape, ...] = (Fleet, Heartbeat, Bye)
"""What the dashboard's socket says."""

PLACE: JsonObject = {
    "seq": {"type": "integer", "minimum": 1},
    "at": {"type": "string", "format": "date-time"},
}
"""What an event in the log has before its own fields."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def name_of(frame: Shape) -> str:
    """Its `type` on the wire."""
    return str(frame.__struct_config__.tag)


def references(frames: Sequence[Shape], at: str) -> list[JsonObject]:
    return [{"$ref": at + name_of(frame)} for frame in frames]


def frame_schemas(at: str) -> JsonObject:
    """Frames by their `type`, what is nested in them by its class; references begin with `at`."""
    live: Sequence[Shape] = (*LIVE, Fleet)
    said = shapes_sent((*EVENTS, *live), at)
    said |= {name_of(e): _placed(said.pop(e.__name__), name_of(e)) for e in EVENTS}
    said |= {name_of(f): said.pop(f.__name__) | {"title": name_of(f)} for f in live}
    return _heard(at) | said


def shapes_sent(types: Sequence[Shape], at: str) -> JsonObject:
    """What the server sends, by class: fields that are always there are required, others allowed.

    A default that is written all the same (no `omit_defaults`) is always there.
    """
    _, shapes = msgspec.json.schema_components(types, ref_template=at + "{name}")
    for shape in shapes.values():
        shape.pop("additionalProperties", None)
    for sent in types:
        if not sent.__struct_config__.omit_defaults:
            shapes[sent.__name__]["required"] = [
                field.encode_name
                for field in msgspec.structs.fields(sent)
                if field.default is not msgspec.UNSET
            ]
            if sent.__struct_config__.tag_field is not None:
                shapes[sent.__name__]["required"].insert(0, sent.__struct_config__.tag_field)
    return shapes


def document() -> JsonObject:
    """A schema whose root validates any one frame of either direction."""
    at = "#/$defs/"
    return {
        "$schema": DIALECT,
        "title": "A frame of mooring.v1",
        "description": "Either what a client sends or what the server sends. Unknown fields are"
        " to be ignored in what the server sends, and are refused in what clients send.",
        "anyOf": references((*SUBMISSIONS, *EVENTS, *LIVE, Fleet), at),
        "$defs": frame_schemas(at),
    }


def _heard(at: str) -> JsonObject:
    """What clients send. What is nested in it may have no unknown fields either: it has a name of
    its own beside the same thing in an event."""
    _, shapes = msgspec.json.schema_components(SUBMISSIONS, ref_template=at + "Sent{name}")
    frames = {name_of(s): shapes.pop(s.__name__) | {"title": name_of(s)} for s in SUBMISSIONS}
    return frames | {f"Sent{name}": shape for name, shape in shapes.items()}


def _placed(event: JsonObject, name: str) -> JsonObject:
    return event | {
        "title": name,
        "properties": PLACE | event["properties"],
        "required": [*PLACE, *event["required"]],
    }
