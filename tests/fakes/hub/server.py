"""A Hub of the tests' own, over real HTTP: what it holds, what it was asked, and how it fails."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Literal, Self

from aiohttp import web

from tests.fakes.bomb import bomb
from tests.fakes.hub.commits import Commits
from tests.fakes.hub.discussions import Discussions
from tests.fakes.hub.docs import Docs
from tests.fakes.hub.jobs import Jobs
from tests.fakes.hub.papers import Papers
from tests.fakes.hub.repos import Repos
from tests.fakes.hub.viewer import Viewer

ADA = "hf_ada_token_of_the_tests"
Trouble = Literal["slow", "cut", "garbage", "bomb", "endless"]


class Fault:
    """What the next `times` requests to paths that `path` is found in get instead of an answer."""

    def __init__(
        self,
        path: str,
        how: int | Trouble,
        headers: Mapping[str, str] | None = None,
        says: str = "no",
        method: str | None = None,
        times: int = 1_000_000,
    ) -> None:
        self.how = how
        self.times = times
        self.met = asyncio.Event()
        self._path = re.compile(path)
        self._method = method
        self._headers = dict(headers or {})
        self._says = says

    def fits(self, request: web.Request) -> bool:
        method = self._method in (None, request.method)
        return self.times > 0 and method and self._path.search(request.path) is not None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.times -= 1
        self.met.set()
        match self.how:
            case int(status):
                return web.json_response(
                    {"error": self._says}, status=status, headers=self._headers
                )
            case "slow":
                await asyncio.Event().wait()
            case "cut":
                response = web.StreamResponse(headers={"Content-Length": "1000"})
                await response.prepare(request)
                await response.write(b"{")
                assert request.transport is not None
                request.transport.abort()
                return response
            case "bomb":
                deflated = {"Content-Encoding": "gzip"}
                return web.Response(body=bomb(), content_type="application/json", headers=deflated)
            case "endless":
                response = web.StreamResponse(headers={"Content-Type": "application/json"})
                await response.prepare(request)
                while True:
                    await response.write(b" " * 2**20)
            case "garbage":
                pass
        return web.Response(text="<html>not what was asked for", content_type="application/json")


class FakeHub:
    """`async with FakeHub() as hub:`; `users` are tokens and whose they are."""

    def __init__(self) -> None:
        self.users = {ADA: "ada"}
        self.asked: list[web.Request] = []
        self.faults: list[Fault] = []
        self.repos = Repos(self.users)
        self.commits = Commits(self.repos)
        self.discussions = Discussions(self.repos)
        self.viewer = Viewer(self.users)
        self.docs = Docs()
        self.jobs = Jobs(self.users)
        self.papers = Papers()
        app = web.Application(middlewares=[self._watched], client_max_size=64 * 1024 * 1024)
        app.router.add_get("/api/whoami-v2", self._whoami)
        rooms = (
            self.jobs,
            self.docs,
            self.papers,
            self.viewer,
            self.commits,
            self.discussions,
            self.repos,
        )
        for room in rooms:
            app.add_routes(room.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        self.url = ""

    @property
    def config(self) -> dict[str, str]:
        """The section `hub` of a configuration that leads here."""
        return {"endpoint": self.url, "viewer": f"{self.url}/viewer", "papers": f"{self.url}/graph"}

    @property
    def tokens(self) -> set[str | None]:
        """All that came along, over all requests."""
        return {request.headers.get("Authorization") for request in self.asked}

    def paths(self, method: str) -> list[str]:
        return [request.path for request in self.asked if request.method == method]

    def fail(self, path: str, how: int | Trouble, **more: object) -> Fault:
        make: Callable[..., Fault] = Fault
        self.faults.append(make(path, how, **more))
        return self.faults[-1]

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _watched(
        self, request: web.Request, handler: Callable[..., object]
    ) -> web.StreamResponse:
        self.asked.append(request)
        fault = next((fault for fault in self.faults if fault.fits(request)), None)
        if fault is not None:
            return await fault.answer(request)
        token = token_of(request)
        if token is not None and token not in self.users and not request.path.startswith("/cas/"):
            return web.json_response(
                {"error": "Invalid credentials in Authorization header"},
                status=401,
                headers={"X-Error-Message": "Invalid credentials in Authorization header"},
            )
        answered = await handler(request)  # type: ignore[misc]  # aiohttp's Handler is a Protocol
        assert isinstance(answered, web.StreamResponse)
        return answered

    async def _whoami(self, request: web.Request) -> web.StreamResponse:
        token = token_of(request)
        if token is None:
            return web.json_response({"error": "Invalid username or password."}, status=401)
        return web.json_response({"type": "user", "name": self.users[token], "orgs": []})


def token_of(request: web.Request) -> str | None:
    header = request.headers.get("Authorization")
    return header.removeprefix("Bearer ") if header else None
