"""Somebody's web server, with the pages that a test puts there."""

from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import web

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]
PUBLIC = "127.0.0.2"
"""What tests call public: loopback too, but not where servers of the house listen."""


class Web:
    """`async with Web() as somewhere:`; `asked` are the requests, in their order."""

    def __init__(self, host: str = PUBLIC) -> None:
        self.asked: list[web.Request] = []
        self._host = host
        self._pages: dict[str, Page] = {}
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        self.port = 0

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def url(self, path: str = "/") -> str:
        return f"http://{self._host}:{self.port}{path}"

    def page(
        self,
        path: str,
        body: str | bytes,
        kind: str = "text/html",
        *,
        status: int = 200,
        coding: str | None = None,
    ) -> str:
        """Put a page there; returns its address."""
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": kind} | ({"Content-Encoding": coding} if coding else {})

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=content, status=status, headers=headers)

        return self.serve(path, answer)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": to})

        return self.serve(path, answer)

    def serve(self, path: str, page: Page) -> str:
        self._pages[path] = page
        return self.url(path)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        page = self._pages.get(request.path)
        if page is None:
            return web.Response(status=404)
        return await page(request)
