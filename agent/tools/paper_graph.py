"""Which papers cite which, and which are alike: Semantic Scholar's graph, over HTTP."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from agent.errors import Problem
from agent.tools.hub_failures import patiently
from agent.tools.hub_web import HubWeb, Query

FIELDS = "title,year,citationCount,externalIds"
T = TypeVar("T")
Show = Callable[[str], None]


class _Ids(Struct):
    ArXiv: str | None = None


class _Paper(Struct):
    title: str | None = None
    year: int | None = None
    citationCount: int | None = None
    externalIds: _Ids | None = None


class _Edge(Struct):
    citingPaper: _Paper | None = None
    citedPaper: _Paper | None = None
    isInfluential: bool | None = None
    contexts: list[str] | None = None


class _Edges(Struct):
    data: list[_Edge] | None = None


class _Alike(Struct):
    recommendedPapers: list[_Paper] | None = None


class PaperGraph:
    """`key` raises the limit of requests. No token of a user ever goes there. Raises Problem."""

    def __init__(self, web: HubWeb, key: str | None = None) -> None:
        self._web = web
        self._headers = {"x-api-key": key} if key else {}

    async def citing(self, paper: str, limit: int, show: Show) -> Sequence[str]:
        edges = await self._edges(paper, "citations", limit, show)
        return [_edge(edge, edge.citingPaper) for edge in edges]

    async def cited(self, paper: str, limit: int, show: Show) -> Sequence[str]:
        edges = await self._edges(paper, "references", limit, show)
        return [_edge(edge, edge.citedPaper) for edge in edges]

    async def like(self, paper: str, limit: int, show: Show) -> Sequence[str]:
        # Left to itself, it knows papers of the last weeks only.
        path = ("recommendations", "v1", "papers", "forpaper", f"ARXIV:{paper}")
        found = await self._get(path, _Alike, FIELDS, limit, show, **{"from": "all-cs"})
        return [_line(one) for one in found.recommendedPapers or ()]

    async def _edges(self, paper: str, what: str, limit: int, show: Show) -> Sequence[_Edge]:
        path = ("graph", "v1", "paper", f"ARXIV:{paper}", what)
        found = await self._get(path, _Edges, f"{FIELDS},isInfluential,contexts", limit, show)
        return sorted(found.data or (), key=lambda edge: not edge.isInfluential)

    async def _get(
        self,
        path: Sequence[str],
        shape: type[T],
        fields: str,
        limit: int,
        show: Show,
        **more: str,
    ) -> T:
        query: Query = {"fields": fields, "limit": limit, **more}
        try:
            return await patiently(
                lambda: self._web.json(path, shape, headers=self._headers, query=query), show
            )
        except Problem as problem:
            raise _elsewhere(problem) from None


def _elsewhere(problem: Problem) -> Problem:
    """It is not the Hub that failed."""
    match problem.code:
        case "hub_not_found":
            says = "The graph of papers does not know this one. Check the arXiv id."
        case "hub_limited":
            says = "The graph of papers allows no more requests now. Go on without it, or wait."
        case _:
            says = "The graph of papers cannot be asked now. Go on without it, or try later."
    return Problem(problem.code.replace("hub", "papers"), says)


def _edge(edge: _Edge, paper: _Paper | None) -> str:
    mark = " · influential" if edge.isInfluential else ""
    quote = f"\n  “{' '.join(edge.contexts[0].split())[:300]}”" if edge.contexts else ""
    return _line(paper or _Paper()) + mark + quote


def _line(paper: _Paper) -> str:
    id = (paper.externalIds.ArXiv if paper.externalIds else None) or "not on arXiv"
    cited = f"{paper.citationCount or 0:,} citations"
    return f"- {id} · {paper.title or 'untitled'} ({paper.year or 'no year'}) · {cited}"
