"""Every HTTP call, described: what it takes, what it answers, what it refuses."""

from agent.protocol import JsonObject
from server.contract.asyncapi import AFTER, DELTAS, LOG
from server.contract.asyncapi import MOST as MOST_REPLAYED
from server.readiness import Report
from server.routes.asked import MOST
from server.routes.call import Call, Parameter
from server.routes.files import FileList
from server.routes.health import Alive, ModelOffers, WhoAmI
from server.routes.identity_calls import BODY, IDENTITY_CALLS
from server.routes.sessions import (
    DEFAULT_SESSIONS,
    LONGEST_KEY,
    STATES,
    ChangedSessionBody,
    EventsPage,
    ForkBody,
    NewSessionBody,
    SessionPage,
)
from server.routes.share_calls import SHARE_CALLS
from server.wire import Session

COUNT: JsonObject = {"type": "integer", "minimum": 1}
NUMBER: JsonObject = {"type": "integer", "minimum": 0}
TEXT: JsonObject = {"type": "string"}
DOCUMENT = ("application/json",)
FILES = ("multipart/form-data",)
BYTES = ("application/octet-stream",)
EXPORTS = ("text/markdown", "application/jsonl")
"""A conversation as a file, by what `format` asks for."""


def up_to_most(default: int) -> Parameter:
    schema = COUNT | {"default": default}
    return Parameter("limit", schema, f"How many at most; more than {MOST} is taken as {MOST}.")


KEY = Parameter(
    "Idempotency-Key",
    TEXT | {"maxLength": LONGEST_KEY},
    "A repeat with the same key returns the same session.",
    "header",
)
LISTING = (
    up_to_most(DEFAULT_SESSIONS),
    Parameter("cursor", TEXT, "`next_cursor` of the page before."),
    Parameter("q", TEXT, "Words to find in titles and messages."),
    Parameter("state", {"enum": list(STATES)}, "Only sessions in this state."),
)
PAGING = (
    Parameter("after", NUMBER | {"default": 0}, "Events from the next one on."),
    Parameter("before", NUMBER, "Instead: the events right before this one."),
    Parameter("types", TEXT, "Only events of these types, comma-separated; with `before`."),
    up_to_most(MOST),
)
FORMAT = Parameter("format", {"enum": ["md", "jsonl"], "default": "md"}, "Prose, or the log.")
JOINING = (
    Parameter("after", AFTER, AFTER["description"]),
    Parameter("log", LOG, LOG["description"]),
    Parameter("most", MOST_REPLAYED, MOST_REPLAYED["description"]),
    Parameter("deltas", DELTAS, DELTAS["description"]),
)

FULL = "429 too_many_sessions"
SOCKET = ("426 upgrade_required", "429 too_many_connections", "429 rate_limited")

_SESSION = "/api/sessions/{id}"
CALLS = (
    Call("get", "/healthz", "Say that the process is alive", {200: Alive}),
    Call(
        "get",
        "/readyz",
        "Say whether the store, the models and the sandbox are ready; `warnings` cost a feature",
        {200: Report, 503: Report},
    ),
    Call(
        "get",
        "/metrics",
        "Metrics as Prometheus reads them, for the machine itself and for operators",
        {200: ("text/plain",)},
        refuses=("401 unauthorized", "403 forbidden"),
    ),
    Call("get", "/api/me", "Say who is asking", {200: WhoAmI}),
    *IDENTITY_CALLS,
    *SHARE_CALLS,
    Call("get", "/api/models", "List the models there are", {200: ModelOffers}),
    Call("get", "/api/schema.json", "The JSON Schema of every frame", {200: DOCUMENT}),
    Call("get", "/api/asyncapi.json", "Both sockets, described", {200: DOCUMENT}),
    Call("get", "/api/openapi.json", "This document", {200: DOCUMENT}),
    Call(
        "get",
        "/api/dashboard/socket",
        "All sessions live, over a WebSocket (see asyncapi.json)",
        {101: None},
        refuses=SOCKET,
    ),
    Call(
        "post",
        "/api/sessions",
        "Begin a session; 200 where the key was used before",
        {201: Session, 200: Session},
        takes=NewSessionBody,
        asks=(KEY,),
        refuses=(*BODY, "400 bad_request", "409 no_such_model", FULL, "429 rate_limited"),
    ),
    Call(
        "get",
        "/api/sessions",
        "List one's sessions, the newest activity first",
        {200: SessionPage},
        asks=LISTING,
        refuses=("400 bad_request",),
    ),
    Call("get", _SESSION, "Show a session", {200: Session}),
    Call(
        "patch",
        _SESSION,
        "Rename a session",
        {200: Session},
        takes=ChangedSessionBody,
        refuses=(*BODY, "409 session_ended"),
    ),
    Call("delete", _SESSION, "Stop a session and erase its log and its files", {204: None}),
    Call(
        "post",
        f"{_SESSION}/fork",
        "Begin another session with an exact prefix of this one, and its files of then",
        {201: Session},
        takes=ForkBody,
        refuses=(*BODY, "409 no_such_turn", FULL, "429 rate_limited"),
    ),
    Call(
        "get",
        f"{_SESSION}/events",
        "A page of the log, ascending",
        {200: EventsPage},
        asks=PAGING,
        refuses=("400 bad_request",),
    ),
    Call(
        "get",
        f"{_SESSION}/export",
        "The conversation as a file",
        {200: EXPORTS},
        asks=(FORMAT,),
        refuses=("400 bad_request",),
    ),
    Call(
        "post",
        f"{_SESSION}/submissions",
        "One frame of a client, answered as the socket answers it",
        {},
        submits=True,
        refuses=("413 too_large",),
    ),
    Call(
        "post",
        f"{_SESSION}/files",
        "Put files into the workspace's root, replacing what has their names",
        {201: FileList},
        takes=FILES,
        refuses=("400 bad_request", "400 bad_path", "413 too_large"),
    ),
    Call("get", f"{_SESSION}/files", "List the files of the workspace", {200: FileList}),
    Call(
        "get",
        f"{_SESSION}/files/{{path}}",
        "A file of the workspace, as an attachment; `path` may hold slashes",
        {200: BYTES},
        refuses=("400 bad_path", "404 no_such_file"),
    ),
    Call(
        "get",
        f"{_SESSION}/socket",
        "The session live, over a WebSocket (see asyncapi.json)",
        {101: None},
        asks=JOINING,
        refuses=("400 bad_request", *SOCKET),
    ),
)
