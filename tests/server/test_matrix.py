"""Everybody at every door: each route and each frame, tried by each role and relation there is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, get_args

import pytest
import pytest_asyncio
from aiohttp import WSMsgType

from agent.protocol import AnySubmission
from server.contract.frames import name_of
from server.routes.rights import RIGHTS
from server.routes.table import ROUTES
from tests.api import Answer, Api
from tests.model_server import ModelServer
from tests.serving import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO = ("owner", "driver", "viewer", "operator", "other", "limited", "revoked", "nobody")
"""`limited` has the role viewer and a share as driver; `revoked` had one; `other` has none."""
ROLES = {"operator": "operator", "limited": "viewer"}
SHARES = {"driver": "driver", "viewer": "viewer", "limited": "driver", "revoked": "driver"}
S = "/api/sessions/{id}"

ALL = "yes yes yes yes yes yes yes yes"
NAMED = "yes yes yes yes yes yes yes 401"
READ = "yes yes yes yes 404 yes 404 401"
DRIVE = "yes yes 403 403 404 403 404 401"
OWN = "yes 403 403 403 404 403 404 401"
OWN_AND_OPERATOR = "yes 403 403 yes 404 403 404 401"
DOORS: dict[tuple[str, str], str] = {
    # columns: owner, driver, viewer, operator, other, limited, revoked, nobody
    ("GET", "/"): ALL,
    ("GET", "/static/{path}"): ALL,
    ("GET", "/login"): ALL,
    ("GET", "/login/callback"): ALL,
    ("GET", "/mcp/callback"): ALL,
    ("GET", "/healthz"): ALL,
    ("GET", "/readyz"): ALL,
    ("GET", "/metrics"): ALL,  # asked from this machine
    ("GET", "/api/me"): NAMED,
    ("GET", "/api/models"): NAMED,
    ("GET", "/api/schema.json"): NAMED,
    ("GET", "/api/asyncapi.json"): NAMED,
    ("GET", "/api/openapi.json"): NAMED,
    ("POST", "/api/logout"): NAMED,
    ("POST", "/api/tickets"): NAMED,
    ("GET", "/api/secrets"): NAMED,
    ("PUT", "/api/secrets/{name}"): NAMED,
    ("DELETE", "/api/secrets/{name}"): NAMED,
    ("GET", "/api/mcp"): NAMED,
    ("POST", "/api/mcp/{server}/connect"): NAMED,
    ("DELETE", "/api/mcp/{server}/connect"): NAMED,
    ("GET", "/api/audit"): "403 403 403 yes 403 403 403 401",
    ("POST", "/api/shares/redeem"): NAMED,
    ("GET", "/api/dashboard/socket"): NAMED,
    ("GET", "/api/sessions"): NAMED,
    ("POST", "/api/sessions"): "yes yes yes yes yes 403 yes 401",
    ("GET", S): READ,
    ("PATCH", S): DRIVE,
    ("DELETE", S): OWN_AND_OPERATOR,
    ("POST", f"{S}/fork"): "yes yes yes 403 404 403 404 401",
    ("GET", f"{S}/events"): READ,
    ("GET", f"{S}/export"): READ,
    ("POST", f"{S}/submissions"): READ,
    ("POST", f"{S}/files"): DRIVE,
    ("GET", f"{S}/files"): READ,
    ("GET", f"{S}/files/{{path}}"): READ,
    ("GET", f"{S}/socket"): READ,
    ("POST", f"{S}/shares"): OWN,
    ("GET", f"{S}/shares"): OWN_AND_OPERATOR,
    ("DELETE", f"{S}/shares/{{share}}"): OWN_AND_OPERATOR,
}
BODIES: dict[tuple[str, str], Any] = {
    ("POST", f"{S}/shares"): {"role": "viewer"},
    ("POST", "/api/shares/redeem"): {"secret": "none"},
    ("PUT", "/api/secrets/{name}"): {"value": "a value that is long enough"},
    ("POST", f"{S}/submissions"): {"type": "ping", "id": "p"},
}

HEARD = "yes yes yes yes 404 yes 404 401"
DRIVEN = "yes yes 403 403 404 403 404 401"
STOPPED = "yes yes 403 yes 404 403 404 401"
FRAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "ping": (HEARD, {}),
    "interrupt": (STOPPED, {}),
    "shutdown": (STOPPED, {}),
    "user_input": (DRIVEN, {"text": "x", "attachments": ["missing"]}),
    "approval": (DRIVEN, {"decisions": [{"call": "none", "decision": "approve"}]}),
    "answer": (DRIVEN, {"question": "none", "action": "decline"}),
    "resume": (DRIVEN, {}),
    "withdraw": (DRIVEN, {"submission": "none"}),
    "undo": (DRIVEN, {}),
    "retry": (DRIVEN, {}),
    "compact": (DRIVEN, {}),
    "set_model": (DRIVEN, {"model": "none"}),
    "set_auto_approval": (DRIVEN, {"enabled": False}),
}
"""With fields that change nothing where the frame is heard."""

PACES = tuple(
    f"{what}_per_minute" for what in ("submissions", "handshakes", "creations", "failures")
)
"""Of which nobody here is to run out."""

SEES = "yes yes yes no no yes no 401"
"""In whose lists and searches the session is; operators see it on their dashboard."""
ON_BOARD = "yes yes yes yes no yes no 401"


class Town:
    """One real server and everybody who comes to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.apis: dict[str, Api] = {}

    async def settle(self, stack: AsyncExitStack) -> None:
        where = ("--data-dir", str(self.server.data))
        for who in WHO[:-1]:
            role = ROLES.get(who, "user")
            made = ("token", "create", "--user", who, "--role", role, *where)
            status, token = await self.server.command(*made)
            assert status == 0
            headers = {"Authorization": f"Bearer {token.strip()}"}
            self.apis[who] = await stack.enter_async_context(Api(self.server.url, headers))
            async with asyncio.timeout(30):
                while (await self.apis[who].get("/api/me")).status != 200:
                    pass
        self.apis["nobody"] = await stack.enter_async_context(Api(self.server.url))

    async def session(self) -> str:
        """One of the owner's, shared as the table says."""
        owner = self.apis["owner"]
        session = await owner.session(title="Lighthouse")
        for who, role in SHARES.items():
            body = {"role": role, "user": who}
            share = await owner.good("POST", f"/api/sessions/{session}/shares", body)
            if who == "revoked":
                await owner.good("DELETE", f"/api/sessions/{session}/shares/{share['id']}")
        return session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    config = {"limits": dict.fromkeys(PACES, 100_000)}
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(ModelServer())
        folder = tmp_path_factory.mktemp("matrix")
        server = Server(folder, model.url, config=config, arguments=["--auth", "token"])
        town = Town(await stack.enter_async_context(server))
        await town.settle(stack)
        yield town


def came_to(status: int, code: str) -> str:
    if status == 404 and code != "no_such_session":
        return "yes"
    return str(status) if status in (401, 403, 404) else "yes"


def outcome(answer: Answer) -> str:
    error = (answer.json or {}).get("error", {}) if isinstance(answer.json, dict) else {}
    return came_to(answer.status, error.get("code", ""))


def table(column: str) -> dict[str, str]:
    return dict(zip(WHO, column.split(), strict=True))


async def test_no_route_and_no_frame_is_missing_from_the_tables() -> None:
    routes = {
        (route.method, route.path.replace(":.+", "")) for route in ROUTES if route.method != "HEAD"
    }
    assert routes == set(DOORS)
    below = {(method, path) for method, path in routes if path.startswith("/api/")}
    assert below == set(RIGHTS)
    assert {name_of(frame) for frame in get_args(AnySubmission)} == set(FRAMES)


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
async def test_a_door_opens_to_whom_it_should(town: Town, door: tuple[str, str]) -> None:
    method, path = door
    session = await town.session()
    found = {}
    for who in WHO:
        if method == "DELETE" and path == S:
            session = await town.session()
        where = path.format(
            id=session, path="a", share="none", name=f"NAME_{who.upper()}", server="a"
        )
        answer = await town.apis[who].call(method, where, BODIES.get(door))
        assert answer.status < 500 or path == "/readyz", answer
        found[who] = outcome(answer)
    assert found == table(DOORS[door])


@pytest.mark.parametrize("kind", FRAMES)
async def test_a_frame_over_http_is_heard_of_whom_it_should(town: Town, kind: str) -> None:
    column, fields = FRAMES[kind]
    session = await town.session()
    found = {}
    for who in WHO:
        frame = {"type": kind, "id": f"h-{who}", **fields}
        answer = await town.apis[who].submit(session, frame)
        refused = isinstance(answer.json, dict) and answer.json.get("code") == "forbidden"
        assert refused == (answer.status == 403)
        found[who] = outcome(answer)
    assert found == table(column)


@pytest.mark.parametrize("kind", FRAMES)
async def test_a_frame_over_a_socket_is_heard_of_whom_it_should(town: Town, kind: str) -> None:
    column, fields = FRAMES[kind]
    found = {}
    for who in WHO:
        session = await town.session()
        found[who] = await said(town.apis[who], session, {"type": kind, "id": "s", **fields})
    assert found == table(column)


async def said(api: Api, session: str, frame: dict[str, Any]) -> str:
    """What one frame over a socket of its own comes to."""
    refused = await handshake(api, f"/api/sessions/{session}/socket")
    if isinstance(refused, Answer):
        return outcome(refused)
    async with refused as socket, asyncio.timeout(60):
        await socket.send_str(json.dumps(frame))
        while True:
            answer = json.loads(await socket.receive_str())
            if answer["type"] in ("accepted", "refused", "pong"):
                return "403" if answer.get("code") == "forbidden" else "yes"


async def handshake(api: Api, path: str) -> Any:
    """The socket's context, or the answer that refused it."""
    plain = await api.get(path)
    return api.socket(path) if plain.status == 426 else plain


async def test_a_session_is_listed_found_and_shown_to_whom_it_should(town: Town) -> None:
    session = await town.session()
    listed, searched, shown = {}, {}, {}
    for who in WHO:
        api = town.apis[who]
        pages = [await api.get("/api/sessions", limit=500, q=q) for q in ("", "Lighthouse")]
        listed[who], searched[who] = (has(answer, session) for answer in pages)
        shown[who] = await on_board(api, session)
    assert listed == table(SEES)
    assert searched == table(SEES)
    assert shown == table(ON_BOARD)


def has(answer: Answer, session: str) -> str:
    if answer.status != 200:
        return str(answer.status)
    return "yes" if session in [s["id"] for s in answer.json["sessions"]] else "no"


async def on_board(api: Api, session: str) -> str:
    board = await handshake(api, "/api/dashboard/socket")
    if isinstance(board, Answer):
        return str(board.status)
    async with board as socket, asyncio.timeout(60):
        message = await socket.receive()
        assert message.type is WSMsgType.TEXT
        fleet = json.loads(message.data)
        return "yes" if session in [row["id"] for row in fleet["sessions"]] else "no"
