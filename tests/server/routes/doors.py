"""The whole application behind a real socket, in this process: who asks is told by a token."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import ClientWebSocketResponse, FormData, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler, Middleware
from msgspec import Struct
from yarl import URL

from agent.models.catalogue import Catalogue
from agent.models.entries import ModelEntry
from agent.sandbox.port import Exit
from server.app import _wired
from server.config import Config, Limits
from server.identity.gate import GATE
from server.identity.tokens import Tokens
from server.keys import SESSIONS
from server.settings import ServeSettings
from tests.model_server import ModelServer
from tests.server.sessions.house import MoodyStore

Frame = dict[str, Any]


class NoSandbox:
    """A sandbox that is not there; nothing here runs a command."""

    async def probe(self) -> str | None:
        return "there is none"

    async def run(
        self,
        command: Sequence[str],
        *,
        workspace: Path,
        timeout: float,
        show: Callable[[str], None],
    ) -> Exit:
        raise AssertionError("no story here runs a command")


class Answer(Struct, frozen=True):
    """A response as it came; `json` is its body where that was JSON."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Status and code of an error, which has the one shape of the contract."""
        assert self.json.keys() == {"error"}
        assert self.json["error"].keys() == {"code", "message", "retry_after"}
        return self.status, self.json["error"]["code"]


class Socket:
    """A WebSocket whose frames are read when they are asked for."""

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws
        self.seen: list[Frame] = []

    async def next(self) -> Frame | None:
        """None when the server has closed."""
        async with asyncio.timeout(30):
            message = await self.ws.receive()
        if message.type is not WSMsgType.TEXT:
            return None
        self.seen.append(json.loads(message.data))
        return self.seen[-1]

    async def until(self, kind: str) -> Frame:
        """The next frame of that type."""
        while (frame := await self.next()) is not None:
            if frame["type"] == kind:
                return frame
        raise AssertionError(f"closed with {self.ws.close_code}, saw {self.seen}")

    async def closed(self) -> int | None:
        """Wait for the end; the close code."""
        while await self.next() is not None:
            pass
        return self.ws.close_code

    async def say(self, type: str, id: str, **fields: Any) -> None:
        await self.ws.send_json({"type": type, "id": id, **fields})


class Doors:
    """`secrets` are the tokens by user; without a user, whoever asks shows none."""

    def __init__(
        self, app: web.Application, store: MoodyStore, model: ModelServer, secrets: dict[str, str]
    ) -> None:
        self.app = app
        self.store = store
        self.model = model
        self.secrets = secrets
        self.client: TestClient[web.Request, web.Application] = TestClient(TestServer(app))

    @property
    def port(self) -> int:
        return self.client.server.port or 0

    def app_waiting(self) -> int:
        """Turns that wait for a slot."""
        return self.app[SESSIONS].slots.waiting

    def headers(self, user: str | None) -> dict[str, str]:
        secret = self.secrets.get(user or "")
        return {"Authorization": f"Bearer {secret}"} if secret else {}

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "ada",
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`path` goes out as it is, percent signs and all."""
        url = URL(f"http://127.0.0.1:{self.port}{path}", encoded=True)
        async with self.client.session.request(
            method,
            url,
            json=body,
            data=data,
            headers={**self.headers(user), **(headers or {})},
            allow_redirects=False,
        ) as response:
            return Answer(response.status, await response.read(), dict(response.headers))

    async def session(self, user: str = "ada", **fields: Any) -> str:
        made = await self.call("POST", "/api/sessions", {"title": "T", **fields}, user=user)
        assert made.status == 201, made
        return str(made.json["id"])

    async def upload(self, session: str, name: str, content: bytes, user: str = "ada") -> Answer:
        form = FormData(quote_fields=False)
        form.add_field("file", BytesIO(content), filename=name)
        return await self.call("POST", f"/api/sessions/{session}/files", data=form, user=user)

    @asynccontextmanager
    async def socket(
        self, path: str, user: str | None = "ada", **headers: str
    ) -> AsyncIterator[Socket]:
        """A path below `/api/`."""
        async with self.client.ws_connect(
            f"/api/{path}", headers={**self.headers(user), **headers}
        ) as ws:
            yield Socket(ws)

    async def raw(self, request: bytes, until: bytes | None = None) -> bytes:
        """What comes back for these bytes, up to `until` or the end of the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            async with asyncio.timeout(30):
                return await (reader.readuntil(until) if until else reader.read())
        finally:
            writer.close()


def _from(address: str) -> Middleware:
    @web.middleware
    async def elsewhere(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request.clone(remote=address))

    return elsewhere


@asynccontextmanager
async def doors(
    folder: Path,
    *,
    auth: str = "token",
    config: Config | None = None,
    environment: Mapping[str, str] | None = None,
    remote: str | None = None,
    **limits: int,
) -> AsyncIterator[Doors]:
    """`remote` is where every request seems to come from; else it is this machine."""
    settings = ServeSettings(folder / "data", auth="token" if auth == "token" else "dev")
    config = config or Config(limits=Limits(**limits))
    store = MoodyStore.open(settings.data_dir)
    assert isinstance(store, MoodyStore)
    async with ModelServer() as model:
        catalogue = Catalogue(
            {"demo": ModelEntry("Demo"), "far/away": ModelEntry(needs="FAR_KEY")},
            environment or {},
            default="openai/test-model",
            api_base=model.url,
        )
        tokens = Tokens(store)
        secrets = {}
        if auth == "token":
            secrets = {name: await tokens.create(name) for name in ("ada", "bob")}
            secrets["eve"] = await tokens.create("eve", "operator")
        with ThreadPoolExecutor(2) as threads:
            app = await _wired(settings, config, catalogue, store, NoSandbox(), threads)
            if remote is not None:
                app.middlewares.insert(0, _from(remote))
            here = Doors(app, store, model, secrets)
            watching = asyncio.create_task(app[GATE].watch())
            try:
                async with here.client:
                    yield here
                    await app[SESSIONS].close()
            finally:
                watching.cancel()
                await catalogue.close()
                await store.close()
