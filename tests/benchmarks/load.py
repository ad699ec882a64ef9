"""The load generator's viewer: it reads frames as cheaply as it can, and knows no law."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Self

import aiohttp
import msgspec

from tests.benchmarks.processes import Started
from tests.serving import Server

ENDED = '"type":"turn_ended"'
DELTA = '"type":"text_delta"'
SYNCED = '"type":"synced"'
ACCEPTED = '"type":"accepted"'
PONG = '"type":"pong"'
IDS = count()


class Viewer:
    """One connection, to the server or to the relay."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws

    async def say(self, text: str = "Go on.") -> Self:
        frame = {"type": "user_input", "id": f"c{next(IDS)}", "text": text}
        await self._ws.send_str(msgspec.json.encode(frame).decode())
        return self

    async def leave(self) -> None:
        await self._ws.close()

    async def ping(self, id: str) -> None:
        await self._ws.send_str(msgspec.json.encode({"type": "ping", "id": id}).decode())

    async def until(self, mark: str) -> str:
        """The next frame that holds `mark`."""
        receive = self._ws.receive_str
        while mark not in (frame := await receive()):
            pass
        return frame

    async def through(self, mark: str) -> AsyncIterator[str]:
        """All frames up to the one that holds `mark`."""
        while mark not in (frame := await self._ws.receive_str()):
            yield frame

    async def turn(self) -> None:
        """A whole turn, read to its end."""
        await self.say()
        ended = await self.until(ENDED)
        assert "failed" not in ended, ended


class Load:
    """Calls and sockets to one server."""

    def __init__(self, http: aiohttp.ClientSession, server: Server | Started) -> None:
        self.http = http
        self.pid = server.pid
        self._server = server

    @property
    def url(self) -> str:
        return self._server.url

    async def session(self) -> str:
        """A new one; it has a title, so that no model is asked for one."""
        async with self.http.post(f"{self.url}/api/sessions", json={"title": "Load"}) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])

    async def metric(self, name: str) -> float:
        async with self.http.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        line = next(line for line in lines if line.startswith(f"{name} "))
        return float(line.split()[-1])

    async def viewer(self, session: str | None = None, after: int = 0) -> Viewer:
        """Of a session, a new one where none is named; of a relay that has none, its socket."""
        if isinstance(self._server, Started):
            return Viewer(await self._connected(f"{self.url}/socket"))
        session = session or await self.session()
        viewer = Viewer(
            await self._connected(f"{self.url}/api/sessions/{session}/socket?after={after}")
        )
        await viewer.until(SYNCED)
        return viewer

    async def _connected(self, url: str) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(url, max_msg_size=0)


@asynccontextmanager
async def load_on(server: Server | Started) -> AsyncIterator[Load]:
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        yield Load(http, server)
