"""Whatever is sent, the server makes no mistake, does not die, and does not grow."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from server.contract.frames import SUBMISSIONS, name_of
from server.routes.openapi import document
from tests.client import WITHIN
from tests.serving import Server

MIB = 1024 * 1024
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ROOMY = {
    "creations_per_minute": 100_000,
    "handshakes_per_minute": 100_000,
    "submissions_per_minute": 100_000,
    "sessions_per_user": 100_000,
}
EXAMPLES = int(os.environ.get("MOORING_EXAMPLES", "8"))
A_FEW = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SCHEMA = schemathesis.openapi.from_dict(json.loads(msgspec.json.encode(document())))
FOUND = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
OPERATIONS = {
    f"{operation.method} {operation.path}": operation
    for operation in FOUND
    if "101" not in operation.definition.raw["responses"]
}
HONEST = {503, 507}
"""What a server may say of itself that makes no mistake."""
MOST_IN_A_ROW = 15
"""Frames of one connection: twenty malformed ones in a minute end it."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server with the demo model, which needs nobody to play along."""
    folder, model = tmp_path_factory.mktemp("fuzz"), ("--model", "demo")
    async with Server(folder, "", model=model, config={"limits": ROOMY}) as server:
        yield server


def ask(server: Server, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, method=method)
    with OPENER.open(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def new_session(server: Server) -> str:
    return str(ask(server, "POST", "/api/sessions", {"title": "Fuzzed"})["id"])


@contextmanager
def unharmed(server: Server) -> Iterator[None]:
    """It is the same process behind, as well as before, and hardly larger."""
    first, memory, files = server.pid, resident(server), descriptors(server)
    yield
    assert server.pid == first
    assert ask(server, "GET", "/healthz") == {"status": "ok"}
    assert resident(server) - memory < 64 * MIB + EXAMPLES * MIB // 4
    until = time.monotonic() + WITHIN
    while descriptors(server) - files >= 40:  # who was cut is let go of a moment later
        assert time.monotonic() < until, "it keeps what was opened"
        time.sleep(0.1)


def resident(server: Server) -> int:
    pages = Path(f"/proc/{server.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


# ---- HTTP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_call_of_the_document_is_a_mistake(demo: Server, name: str) -> None:
    operation, session = OPERATIONS[name], new_session(demo)

    @A_FEW
    @given(case=operation.as_strategy())
    def tried(case: Any) -> None:
        if "id" in case.path_parameters:
            case.path_parameters["id"] = session
        answer = case.call(base_url=demo.url, timeout=60, allow_redirects=False)
        assert answer.status_code < 500 or answer.status_code in HONEST, answer.content
        if answer.status_code >= 400 and case.method != "HEAD":
            error = json.loads(answer.content)
            assert {"error"} == error.keys() or error["type"] == "refused"
        else:
            case.validate_response(answer, checks=(response_schema_conformance,))

    with unharmed(demo):
        tried()


# ---- frames -------------------------------------------------------------------------------------

TYPES = [name_of(kind) for kind in SUBMISSIONS]
FIELDS = sorted({f.encode_name for kind in SUBMISSIONS for f in msgspec.structs.fields(kind)})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["queue", "steer", "hold", "approve", "session", "demo", "\ud800", "\0"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
FRAMES = st.builds(
    lambda kind, id, fields: fields | {"type": kind} | ({} if id is None else {"id": id}),
    st.sampled_from(TYPES) | st.text(max_size=9),
    st.none() | st.text(max_size=70) | st.integers(),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
)
IDS = count(1)


def spelt(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


MESSAGES = (
    FRAMES.map(spelt)
    | VALUES.map(spelt)
    | st.text(max_size=60)
    | st.binary(max_size=60)
    | st.integers(1, 3000).map(lambda depth: '{"type":' + "[" * depth)
    | st.integers(1, 5000).map(lambda digits: '{"type":"ping","id":"x","at":1' + "0" * digits + "}")
)


def answered(socket: ClientConnection) -> bool:
    """The ping behind it is answered, or the server has closed in words."""
    mark, said = f"mark-{next(IDS)}", None
    try:
        socket.send(json.dumps({"type": "ping", "id": mark}))
        while True:
            frame = json.loads(socket.recv(timeout=60))
            if frame["type"] == "pong" and frame["id"] == mark:
                return True
    except ConnectionClosed as closed:
        said = closed.rcvd
    assert said is not None, "cut without a word"
    assert said.code in (1000, 1009, 4400), said
    return False


def test_no_frame_is_a_mistake(demo: Server) -> None:
    """Each is answered, and the next one after it; `shutdown` may end the connection."""

    @A_FEW
    @given(messages=st.lists(MESSAGES, min_size=1, max_size=MOST_IN_A_ROW))
    def tried(messages: list[str | bytes]) -> None:
        session = new_session(demo)
        path = f"ws{demo.url[4:]}/api/sessions/{session}/socket"
        with connect(
            path, proxy=None, max_size=None, open_timeout=WITHIN, ping_interval=None
        ) as socket:
            for message in messages:
                try:
                    socket.send(message)
                except ConnectionClosed:
                    break
            answered(socket)
        ask(demo, "DELETE", f"/api/sessions/{session}")

    with unharmed(demo):
        tried()


def posted(url: str, body: bytes) -> tuple[int, Any]:
    try:
        with OPENER.open(urllib.request.Request(url, body, method="POST"), timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def test_no_frame_over_http_is_a_mistake(demo: Server) -> None:
    url = f"{demo.url}/api/sessions/{new_session(demo)}/submissions"

    @A_FEW
    @given(message=MESSAGES)
    def tried(message: str | bytes) -> None:
        body = message if isinstance(message, bytes) else message.encode(errors="surrogatepass")
        status, told = posted(url, body)
        assert status < 500 or status in HONEST
        if status >= 400:
            assert told.get("type") == "refused" or told["error"]["code"]
        else:
            assert told["type"] in ("accepted", "pong")

    with unharmed(demo):
        tried()


def test_what_was_tried_left_no_trace_of_a_mistake(demo: Server) -> None:
    assert "Traceback" not in demo.stderr, demo.stderr[-4000:]
