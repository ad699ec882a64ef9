"""The fake Hub's documentation: a search, pages as markdown or HTML, the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from aiohttp import web


class Docs:
    """`pages` are markdown by path (`trl/sft_trainer`); `html` those there is no markdown of."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.html: dict[str, str] = {}
        self.found: list[dict[str, Any]] = []
        self.index: list[dict[str, str]] = []
        self.openapi: dict[str, Any] = {"paths": {}}

    def routes(self) -> Iterator[web.RouteDef]:
        yield web.get("/api/docs", self._index)
        yield web.get("/api/docs/search", self._search)
        yield web.get("/docs/{path:.*}", self._page)
        yield web.get("/.well-known/openapi.json", self._openapi)

    async def _index(self, request: web.Request) -> web.Response:
        return web.json_response(self.index)

    async def _search(self, request: web.Request) -> web.Response:
        product = request.query.get("product")
        found = [one for one in self.found if product in (None, one["product"])]
        return web.json_response(found)

    async def _page(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path.endswith(".md") and (text := self.pages.get(path.removesuffix(".md"))):
            return web.Response(text=text, content_type="text/markdown")
        if (text := self.html.get(path)) is not None:
            return web.Response(text=text, content_type="text/html")
        return web.Response(status=404, text="Not found")

    async def _openapi(self, request: web.Request) -> web.Response:
        return web.json_response(self.openapi)
