"""The fake Hub's papers with what is linked to them, and the graph that others keep of papers."""

from collections.abc import Iterator
from typing import Any

from aiohttp import web


class Papers:
    """`all` are papers by arXiv id, `text` their markdown, `linked` (kind, id) -> entries; `found`
    kind -> what a search for words finds."""

    def __init__(self) -> None:
        self.all: dict[str, dict[str, Any]] = {}
        self.text: dict[str, str] = {}
        self.linked: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.found: dict[str, list[dict[str, Any]]] = {}
        self.graph: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def add(self, id: str, title: str, **more: Any) -> None:
        self.all[id] = {
            "id": id,
            "title": title,
            "summary": f"About {title}.",
            "authors": [{"_id": "1", "name": "Ada Lovelace", "hidden": False}],
            "publishedAt": "2026-10-01T00:00:00.000Z",
            "upvotes": 3,
            **more,
        }

    def routes(self) -> Iterator[web.RouteDef]:
        yield web.get("/api/papers/search", self._search)
        yield web.get("/api/papers/{id}", self._info)
        yield web.get("/api/daily_papers", self._daily)
        yield web.get("/papers/{id}.md", self._read)
        for kind in ("models", "datasets", "spaces", "collections"):
            yield web.get(f"/api/{kind}", self._linked)
        yield web.get("/graph/graph/v1/paper/{id}/{what:citations|references}", self._graph)
        yield web.get("/graph/recommendations/v1/papers/forpaper/{id}", self._graph)

    async def _search(self, request: web.Request) -> web.Response:
        words = request.query["q"].lower()
        found = [p for p in self.all.values() if words in p["title"].lower()]
        return web.json_response([{"paper": p, "title": p["title"]} for p in found])

    async def _daily(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", 50))
        return web.json_response(
            [{"paper": p, "title": p["title"]} for p in list(self.all.values())[:limit]]
        )

    async def _info(self, request: web.Request) -> web.Response:
        paper = self.all.get(request.match_info["id"])
        if paper is None:
            return web.json_response({"error": "Paper not found"}, status=404)
        return web.json_response(paper)

    async def _read(self, request: web.Request) -> web.Response:
        text = self.text.get(request.match_info["id"])
        return web.Response(text=text or "Not found", status=200 if text else 404)

    async def _linked(self, request: web.Request) -> web.Response:
        kind = request.path.rpartition("/")[2]
        if "search" in request.query or "author" in request.query:
            return web.json_response(self.found.get(kind, []))
        wanted = request.query.get("filter") or request.query.get("item", "")
        id = wanted.removeprefix("arxiv:").removeprefix("papers/")
        return web.json_response(self.linked.get((kind, id), []))

    async def _graph(self, request: web.Request) -> web.Response:
        id = request.match_info["id"].removeprefix("ARXIV:")
        what = request.match_info.get("what", "recommended")
        if (what, id) not in self.graph:
            return web.json_response({"error": f"Paper with id {id} not found"}, status=404)
        key = "recommendedPapers" if what == "recommended" else "data"
        return web.json_response({key: self.graph[what, id]})
