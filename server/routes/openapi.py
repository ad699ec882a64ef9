"""The HTTP calls as OpenAPI 3.1 describes them, made of their table and the Structs they carry."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from agent.protocol import JsonObject
from server.contract.frames import (
    EVENTS,
    SUBMISSIONS,
    frame_schemas,
    name_of,
    references,
    shapes_sent,
)
from server.errors import STATUS_OF
from server.routes.answers import ErrorAnswer
from server.routes.call import Call, Content, Parameter
from server.routes.calls import BYTES, CALLS, FILES
from server.routes.rights import RIGHTS
from server.routes.sessions import EventsPage
from server.wire import PROTOCOL, Accepted, Pong, Refused

AT = "#/components/schemas/"
SAFE = ("get",)
KINDS = ("malformed", "forbidden", "rate_limited", "unavailable", "busy")
REFUSED = frozenset(STATUS_OF.get(code, 409) for code in KINDS)
"""What a submission is refused with, by the kinds of reasons there are."""
UPLOAD: JsonObject = {
    "type": "object",
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "contentMediaType": BYTES[0]}}
    },
    "required": ["file"],
}


def document() -> JsonObject:
    paths: defaultdict[str, JsonObject] = defaultdict(dict)
    for call in CALLS:
        paths[call.path][call.method] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mooring",
            "version": str(PROTOCOL),
            "description": "Sessions with an agent. The sockets are in asyncapi.json.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": dict(paths),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`mooring token create` makes one. Without any, a server that"
                    " listens on loopback alone takes everybody for its user.",
                }
            },
        },
    }


def _schemas() -> JsonObject:
    """Frames under their `type`, everything else by its class."""
    answers = [c for call in CALLS for c in call.answers.values() if isinstance(c, type)]
    bodies = [call.takes for call in CALLS if isinstance(call.takes, type)]
    schemas = frame_schemas(AT) | shapes_sent((*answers, ErrorAnswer), AT)
    schemas |= msgspec.json.schema_components(bodies, ref_template=AT + "{name}")[1]
    page = schemas[EventsPage.__name__]["properties"]
    page["events"]["items"] = _reference("Event")  # they are passed on as they are stored
    return schemas | {
        "Event": {"description": "What is in a log.", "anyOf": references(EVENTS, AT)},
        "Submission": {
            "description": "What a client sends.",
            "anyOf": references(SUBMISSIONS, AT),
        },
    }


def _operation(call: Call) -> JsonObject:
    operation: JsonObject = {
        "operationId": _named(call),
        "summary": call.does,
        "parameters": [*_in_path(call.path), *map(_parameter, call.asks)],
        "responses": {str(status): answer for status, answer in sorted(_answers(call).items())}
        | {"default": _error("The server cannot do it now; `code` says why.")},
    }
    if call.submits:
        operation["requestBody"] = {"required": True, "content": _json(_reference("Submission"))}
    elif call.takes is not None:
        is_needed = call.takes is FILES
        operation["requestBody"] = {"required": is_needed, "content": _content(call.takes)}
    if call.is_open:
        operation["security"] = []
    return operation


def _named(call: Call) -> str:
    """get /api/sessions/{id}/events -> get_sessions_id_events."""
    words = re.findall(r"\w+", call.path.removeprefix("/api"))
    return "_".join((call.method, *words))


def _answers(call: Call) -> Mapping[int, JsonObject]:
    refused = {status: _error(codes) for status, codes in _refusals(call).items()}
    if call.submits:
        either = _answer("Refused, with no effect.", Refused, ErrorAnswer)
        committed = _answer("Committed, or a pong.", Accepted, Pong)
        return refused | dict.fromkeys(REFUSED, either) | {200: committed}
    return refused | {
        status: {"description": f"{call.does}."} | _with_content(content)
        for status, content in call.answers.items()
    }


def _refusals(call: Call) -> Mapping[int, str]:
    """The codes of each status, for people."""
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for refusal in (*call.refuses, *_of_its_kind(call)):
        status, _, code = refusal.partition(" ")
        codes[int(status)].append(f"`{code}`")
    return {status: ", ".join(dict.fromkeys(those)) for status, those in codes.items()}


def _of_its_kind(call: Call) -> Iterator[str]:
    """What every call of a kind may be refused with."""
    yield "403 forbidden_host"
    if call.method not in SAFE or 101 in call.answers:
        yield "403 forbidden_origin"
    if not call.is_open:
        yield "401 unauthorized"
        yield "429 rate_limited"
    if call.takes or call.submits:
        yield "408 too_slow"
    if call.of_a_session:
        yield "404 no_such_session"
    right = RIGHTS.get((call.method.upper(), call.path), "enter")
    if right not in ("enter", "read"):
        yield "403 forbidden"


def _in_path(path: str) -> list[JsonObject]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _parameter(asked: Parameter) -> JsonObject:
    schema = {key: value for key, value in asked.schema.items() if key != "description"}
    return {
        "name": asked.name,
        "in": asked.within,
        "description": asked.does,
        "schema": schema,
    }


def _with_content(content: Content) -> JsonObject:
    return {} if content is None else {"content": _content(content)}


def _content(content: type[Struct] | Sequence[str]) -> JsonObject:
    if isinstance(content, type):
        return _json(_reference(content.__name__))
    return {kind: {"schema": UPLOAD} if content is FILES else {} for kind in content}


def _answer(says: str, *shapes: type[Struct]) -> JsonObject:
    kinds = [s.__name__ if s is ErrorAnswer else name_of(s) for s in shapes]
    return {"description": says, "content": _json({"anyOf": [_reference(k) for k in kinds]})}


def _error(says: str) -> JsonObject:
    return {"description": says, "content": _json(_reference(ErrorAnswer.__name__))}


def _json(schema: JsonObject) -> JsonObject:
    return {"application/json": {"schema": schema}}


def _reference(name: str) -> JsonObject:
    return {"$ref": AT + name}
