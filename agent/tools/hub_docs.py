"""The hf_docs tool: explore and read the documentation on the Hub, and look its HTTP API up."""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from msgspec import Meta, Struct

from agent.errors import Problem
from agent.protocol import Effect
from agent.tools.asked import needed
from agent.tools.egress import Answer
from agent.tools.hub_failures import patiently
from agent.tools.hub_openapi import Endpoint, endpoints, likeness
from agent.tools.hub_web import HubWeb, decoded
from agent.tools.port import Call, Outcome

PART = 16_000
"""Characters of a page that are given at a time."""
EXCERPT = 600
MOST = 200
"""Pages, or libraries, that are listed at a time."""
KEEP = 3600
"""Seconds for which the API's description is good."""
Short = Annotated[str, Meta(min_length=1, max_length=200)]
_Url = Annotated[str, Meta(max_length=500)]
_LibraryName = Annotated[str, Meta(pattern=r"^[\w.-]{1,60}$")]


class DocsArguments(Struct, frozen=True, forbid_unknown_fields=True):
    operation: Annotated[
        Literal["explore", "fetch", "api_search"],
        Meta(
            description="explore: which libraries have docs; the pages of `library`; or what the"
            " docs (of it) say about `query`. fetch: the page `url`, as markdown. api_search: calls"
            " of the Hub's HTTP API that fit `query`."
        ),
    ]
    library: Annotated[
        _LibraryName | None, Meta(description="Such as transformers, trl, datasets, hub")
    ] = None
    query: Short | None = None
    url: Annotated[_Url | None, Meta(description="Below /docs/ of the Hub, or LIBRARY/PAGE.")] = (
        None
    )
    offset: Annotated[int, Meta(ge=0, description="Where to go on in a long page or list.")] = 0
    limit: Annotated[int, Meta(ge=1, le=200, description="How many results.")] = 20


class _Excerpt(Struct):
    text: str = ""
    product: str = ""
    source_page_url: str = ""
    source_page_title: str | None = None
    heading1: str | None = None
    heading2: str | None = None


class _Library(Struct):
    id: str
    category: str | None = None


class HubDocs:
    """`executor` reads HTML and the API's description, which take a while."""

    name = "hf_docs"
    description = (
        "The current documentation of Hugging Face's libraries and of the Hub. Look an API up here"
        " before you write code with it: what you remember may be out of date."
    )
    effect: Effect = "read"
    arguments: type[Struct] = DocsArguments

    def __init__(
        self, web: HubWeb, executor: Executor, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._web = web
        self._executor = executor
        self._clock = clock
        self._api: tuple[Endpoint, ...] = ()
        self._until = 0.0

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: DocsArguments = arguments
        match asked.operation:
            case "explore" if asked.query:
                return await self._search(asked, call)
            case "explore" if asked.library:
                return await self._tree(asked, call)
            case "explore":
                return await self._libraries(call)
            case "fetch":
                needed(asked, "url")
                return await self._page(asked, call)
            case "api_search":
                needed(asked, "query")
                return await self._calls(asked, call)

    async def _search(self, asked: DocsArguments, call: Call) -> Outcome:
        product = {"product": asked.library} if asked.library else {}
        query = {"q": (asked.query or "").lower(), **product}
        path = ("api", "docs", "search")
        answer = await patiently(
            lambda: self._web.get(path, keys=call.keys, query=query), call.show
        )
        found = decoded(answer, list[_Excerpt])
        if not found:
            where = f" of {asked.library}" if asked.library else ""
            return Outcome("ok", f"The docs{where} say nothing about that. Try other words.")
        return Outcome("ok", "\n\n".join(_excerpt(one) for one in found[: asked.limit]))

    async def _libraries(self, call: Call) -> Outcome:
        path = ("api", "docs")
        found = await patiently(
            lambda: self._web.json(path, list[_Library], keys=call.keys), call.show
        )
        lines = [f"- {one.id} ({one.category or 'other'})" for one in found[:MOST]]
        return Outcome("ok", "\n".join(("Docs of (explore one as `library`):", *lines)))

    async def _tree(self, asked: DocsArguments, call: Call) -> Outcome:
        library = asked.library or ""
        page = ("docs", library, "index")
        answer = await patiently(lambda: self._web.get(page, keys=call.keys), call.show)
        links = await self._aside(_links, answer, library)
        if not links:
            says = f"The docs of {library} list no pages. Explore with a `query`."
            return Outcome("error", says)
        end = asked.offset + MOST
        lines = [f"- {title}: {where}" for title, where in links[asked.offset : end]]
        lines += [f"[go on with offset {end}]"] if end < len(links) else []
        return Outcome("ok", "\n".join((f"Pages of {library} ({len(links)}):", *lines)))

    async def _page(self, asked: DocsArguments, call: Call) -> Outcome:
        path = _path(asked.url or "", self._web.base)
        as_markdown = (*path[:-1], f"{path[-1]}.md")
        answer = await patiently(lambda: self._web.look(as_markdown, keys=call.keys), call.show)
        if answer.status >= 400:
            answer = await patiently(lambda: self._web.get(path, keys=call.keys), call.show)
        text = await self._aside(_text, answer)
        end = asked.offset + PART
        if asked.offset and asked.offset >= len(text):
            return Outcome("error", f"The page has {len(text)} characters; offset is beyond.")
        more = f"\n\n[characters {asked.offset} to {end} of {len(text)}; read on with offset {end}]"
        return Outcome("ok", text[asked.offset : end] + (more if end < len(text) else ""))

    async def _calls(self, asked: DocsArguments, call: Call) -> Outcome:
        if not self._api or self._clock() >= self._until:
            path = (".well-known", "openapi.json")
            answer = await patiently(lambda: self._web.get(path, keys=call.keys), call.show)
            self._api = await self._aside(endpoints, answer)
            self._until = self._clock() + KEEP
        words = re.findall(r"\w+", (asked.query or "").lower())
        rated = sorted(
            ((likeness(one, words), one) for one in self._api), key=lambda pair: -pair[0]
        )
        best = [one for rate, one in rated if rate][: min(asked.limit, 20)]
        if not best:
            return Outcome("ok", "No call of the Hub's API fits. Try other words.")
        return Outcome("ok", "\n\n".join(one.text(self._web.base) for one in best))

    async def _aside(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.wrap_future(self._executor.submit(work, *arguments))


def _excerpt(one: _Excerpt) -> str:
    text = re.sub(r"<[^>]*>", "", one.text)
    text = re.sub(r"\s*\n\s*", "\n", text).strip()
    cut = text if len(text) <= EXCERPT else f"{text[:EXCERPT]}..."
    title = " · ".join(filter(None, (one.heading1 or one.source_page_title, one.heading2)))
    return f"## {title}\n{one.source_page_url}\n{cut}"


def _path(url: str, base: str) -> tuple[str, ...]:
    """Of a page below /docs/. Raises Problem for an address elsewhere."""
    plain = re.split(r"[?#]", url.strip())[0]
    rest = plain.removeprefix(base).removeprefix("https://huggingface.co")
    if "://" in rest:
        raise Problem("bad_url", "Only pages below /docs/ of the Hub. Use web_fetch for others.")
    parts = [unquote(part) for part in rest.strip("/").removeprefix("docs/").split("/") if part]
    if not parts or parts == ["docs"]:
        raise Problem("bad_url", "Name a page, such as trl/sft_trainer.")
    if len(parts) == 1:
        parts.append("index")
    return ("docs", *parts[:-1], parts[-1].removesuffix(".md"))


def _links(answer: Answer, library: str) -> list[tuple[str, str]]:
    from agent.tools.html import links

    return links(answer.text(), f"/docs/{library}/")


def _text(answer: Answer) -> str:
    """Blocking."""
    if answer.media_type not in ("text/html", "application/xhtml+xml"):
        return answer.text()
    from agent.tools.html import markdown

    return markdown(answer.text())
