"""Both sockets as AsyncAPI 3.0 describes them, from the side of the server."""

from collections.abc import Sequence

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
from server.wire import PROTOCOL, SUBPROTOCOL

SCHEMAS = "#/components/schemas/"

AFTER: JsonObject = {
    "type": "integer",
    "minimum": 0,
    "default": 0,
    "description": "The last event that the client has; what follows it is replayed.",
}
LOG: JsonObject = {
    "type": "string",
    "description": "The generation of the log that the client has, from `hello`.",
}
MOST: JsonObject = {
    "type": "integer",
    "minimum": 1,
    "description": "How many events are replayed at most; where more are missing, their tail.",
}
DELTAS: JsonObject = {
    "enum": ["all", "none"],
    "default": "all",
    "description": "`none` sends no growing text.",
}


def document() -> JsonObject:
    every = dict.fromkeys((*SUBMISSIONS, *EVENTS, *LIVE, *BOARD))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Mooring",
            "version": str(PROTOCOL),
            "description": f"Two WebSockets that carry JSON text frames, as `{SUBPROTOCOL}`.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "127.0.0.1:8765",
                "protocol": "ws",
                "description": "Where a server listens by default.",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "channels": {"session": _session(), "dashboard": _dashboard()},
        "operations": _operations(),
        "components": {
            "messages": {name_of(frame): _message(frame) for frame in every},
            "schemas": frame_schemas(SCHEMAS),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _session() -> JsonObject:
    asked = {"after": AFTER, "log": LOG, "most": MOST, "deltas": DELTAS}
    query = {"type": "object", "properties": asked}
    return {
        "address": "/api/sessions/{id}/socket",
        "title": "A session",
        "description": "`hello`, the events that are missing, what is still growing, `synced`,"
        " `status`; then everything as it happens.",
        "parameters": {"id": {"description": "The session's id."}},
        "messages": _messages((*SUBMISSIONS, *EVENTS, *LIVE)),
        "bindings": {"ws": {"method": "GET", "query": query}},
    }


def _dashboard() -> JsonObject:
    return {
        "address": "/api/dashboard/socket",
        "title": "All sessions at once",
        "description": "All rows first, then what changes. Users see their own, operators all.",
        "messages": _messages(BOARD),
        "bindings": {"ws": {"method": "GET"}},
    }


def _operations() -> JsonObject:
    return {
        "submit": {
            "action": "receive",
            "summary": "Ask something of the session; each frame is answered once.",
            "channel": {"$ref": "#/channels/session"},
            "messages": _of("session", SUBMISSIONS),
            "reply": {
                "channel": {"$ref": "#/channels/session"},
                "messages": _of("session", ANSWERS),
            },
        },
        "record": {
            "action": "send",
            "summary": "What is in the log, in order and without a hole.",
            "channel": {"$ref": "#/channels/session"},
            "messages": _of("session", EVENTS),
        },
        "show": {
            "action": "send",
            "summary": "What is not in the log: growing text, what the session is doing.",
            "channel": {"$ref": "#/channels/session"},
            "messages": _of("session", [f for f in LIVE if f not in ANSWERS]),
        },
        "oversee": {
            "action": "send",
            "summary": "All sessions at once.",
            "channel": {"$ref": "#/channels/dashboard"},
            "messages": _of("dashboard", BOARD),
        },
    }


def _message(frame: Shape) -> JsonObject:
    name = name_of(frame)
    return {"name": name, "title": name, "payload": {"$ref": SCHEMAS + name}}


def _messages(frames: Sequence[Shape]) -> JsonObject:
    names = [name_of(frame) for frame in frames]
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _of(channel: str, frames: Sequence[Shape]) -> list[JsonObject]:
    return [{"$ref": f"#/channels/{channel}/messages/{name_of(frame)}"} for frame in frames]
