"""The web tools: pages as markdown, and each search service's own format."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from json import loads

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from agent.errors import ConfigProblem, Problem
from agent.tools.egress import Egress
from agent.tools.port import Outcome
from agent.tools.toolbox import Finished, Toolbox
from agent.tools.web_fetch import PART, WebFetch
from agent.tools.web_search import SearchSettings, WebSearch, search_of
from tests.agent.tools.calls import Calls
from tests.fakes import search
from tests.fakes.web import PUBLIC, Web

EGRESS = Egress(allow=(f"{PUBLIC}/32",))


@pytest_asyncio.fixture
async def somewhere() -> AsyncIterator[Web]:
    async with Web() as server:
        yield server


class Reader:
    def __init__(self, executor: ThreadPoolExecutor, calls: Calls) -> None:
        self._toolbox = Toolbox([WebFetch(EGRESS, executor)], executor)
        self._calls = calls

    async def __call__(self, url: str, **more: int) -> Finished:
        return await self._toolbox.call("web_fetch", {"url": url, **more}, self._calls())


@pytest.fixture
def read(executor: ThreadPoolExecutor, calls: Calls) -> Reader:
    return Reader(executor, calls)


async def test_a_page_comes_as_markdown_without_its_clutter(somewhere: Web, read: Reader) -> None:
    html = (
        "<title>Fine-tuning</title><nav>Home</nav><main><h2>Steps</h2><p>Use <b>LoRA</b>.</p>"
        "<ul><li>one</li><li>two</li></ul><pre>x = 1</pre><script>alert(1)</script>"
        "<img src='http://tracker.test/x.png'></main><footer>Legal</footer>"
    )
    url = somewhere.page("/a", html, "text/html; charset=utf-8")
    page = await read(url)
    assert page.status == "ok"
    assert page.output.startswith(f"{url}\n\n# Fine-tuning\n\n## Steps\n\nUse **LoRA**.")
    assert "- one\n- two" in page.output
    assert "x = 1" in page.output
    for clutter in ("Home", "alert", "Legal", "tracker"):
        assert clutter not in page.output


async def test_text_comes_as_it_is(somewhere: Web, read: Reader) -> None:
    url = somewhere.page("/a", '{"a": "<b>"}', "application/json")
    assert (await read(url)).output == f'{url}\n\n{{"a": "<b>"}}'


async def test_a_long_page_is_read_in_parts(somewhere: Web, read: Reader) -> None:
    text = "".join(f"{n:09}\n" for n in range(3000))
    url = somewhere.page("/a", text, "text/plain")
    first = await read(url)
    assert first.output.endswith(f"[characters 0 to {PART} of 30000; read on with offset {PART}]")
    assert (await read(url, offset=PART)).output == f"{url}\n\n{text[PART:]}"
    assert (await read(url, offset=30_000)).status == "error"


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [("image/png", 200, "no text"), ("text/html", 404, "status 404"), ("text/html", 500, "500")],
)
async def test_what_cannot_be_read_is_said(
    kind: str, status: int, says: str, somewhere: Web, read: Reader
) -> None:
    page = await read(somewhere.page("/a", "x", kind, status=status))
    assert page.status == "error"
    assert says in page.output


async def test_the_inside_is_not_fetched(read: Reader) -> None:
    page = await read("http://127.0.0.1:1/")
    assert (page.status, "not a public address" in page.output) == ("error", True)


async def test_a_page_nested_beyond_reason_is_read_as_text(somewhere: Web, read: Reader) -> None:
    url = somewhere.page("/a", "<div>" * 5000 + "deep", "text/html")
    assert (await read(url)).output.endswith("deep")


FOUND = (
    "1. The docs\n   https://hf.co/docs?a=1\n   How to train & test\n2. B\n   https://b.test/\n   "
)
PROVIDERS = pytest.mark.parametrize("provider", ["duckduckgo", "searxng", "brave", "tavily"])


def settings(provider: str, url: str) -> SearchSettings:
    asked = {"provider": provider, "url": url, "key": "the-key"}
    return msgspec.convert(asked, SearchSettings)


def answers(somewhere: Web, provider: str, *, nothing: bool = False) -> str:
    """Where a service is that has found two pages, or none."""
    body, kind = search.page(provider, nothing=nothing)
    url = somewhere.page("/search", body, kind)
    return somewhere.url() if provider == "searxng" else url


async def searched(provider: str, url: str, calls: Calls, **more: object) -> Outcome:
    tool = WebSearch(search_of(settings(provider, url), EGRESS))
    asked = msgspec.convert({"query": "fine tune", **more}, tool.arguments)
    return await tool.run(asked, calls())


@PROVIDERS
async def test_results_of_every_service_look_alike(
    provider: str, somewhere: Web, calls: Calls
) -> None:
    outcome = await searched(provider, answers(somewhere, provider), calls)
    assert outcome.output == FOUND


@pytest.mark.parametrize(
    ("provider", "carries"),
    [
        ("searxng", "q=fine tune&format=json"),
        ("brave", "q=fine tune&count=3"),
    ],
)
async def test_what_is_asked_is_in_the_address(
    provider: str, carries: str, somewhere: Web, calls: Calls
) -> None:
    await searched(provider, answers(somewhere, provider), calls, limit=3)
    assert somewhere.asked[0].query_string == carries


@pytest.mark.parametrize(
    ("provider", "header", "value"),
    [("brave", "X-Subscription-Token", "the-key"), ("tavily", "Authorization", "Bearer the-key")],
)
async def test_the_key_goes_along(
    provider: str, header: str, value: str, somewhere: Web, calls: Calls
) -> None:
    await searched(provider, answers(somewhere, provider), calls)
    assert somewhere.asked[0].headers[header] == value


SITES = "fine tune site:hf.co OR site:arxiv.org"
ASKED: dict[str, object] = {
    "duckduckgo": {"q": SITES},
    "searxng": {"q": SITES, "format": "json"},
    "brave": {"q": SITES, "count": "8"},
    "tavily": {"query": "fine tune", "max_results": 8, "include_domains": ["hf.co", "arxiv.org"]},
}


@PROVIDERS
async def test_sites_can_be_asked_for_as_each_service_takes_them(
    provider: str, somewhere: Web, calls: Calls
) -> None:
    asked: list[object] = []
    body, kind = search.page(provider)

    async def answer(request: web.Request) -> web.StreamResponse:
        form = dict(await request.post()) or await request.text()
        asked.append(dict(request.query) or (form if isinstance(form, dict) else loads(form)))
        return web.Response(body=body, headers={"Content-Type": kind})

    url = somewhere.serve("/search", answer)
    address = somewhere.url() if provider == "searxng" else url
    await searched(provider, address, calls, domains=["hf.co", "arxiv.org"])
    assert asked == [ASKED[provider]]


@PROVIDERS
async def test_no_results_are_said_with_what_to_do(
    provider: str, somewhere: Web, calls: Calls
) -> None:
    outcome = await searched(provider, answers(somewhere, provider, nothing=True), calls)
    assert (outcome.status, "other or fewer words" in outcome.output) == ("ok", True)


@pytest.mark.parametrize("status", [202, 200])
async def test_a_search_page_that_wants_a_person_has_not_found_nothing(
    status: int, somewhere: Web, calls: Calls
) -> None:
    url = somewhere.page("/html/", search.DUCKDUCKGO_CHALLENGE, status=status)
    with pytest.raises(Problem, match="was asked too often from here"):
        await searched("duckduckgo", url, calls)


async def test_a_search_does_not_lead_to_another_site(somewhere: Web, calls: Calls) -> None:
    forms: list[object] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        forms.append(dict(await request.post()))
        return web.Response(text=search.DUCKDUCKGO, content_type="text/html")

    url = somewhere.serve("/html/", answer)
    await searched("duckduckgo", url, calls, query="!g it works! !!")
    assert forms == [{"q": "g it works!"}]


async def test_a_query_that_is_too_long_with_its_sites_says_so(calls: Calls) -> None:
    with pytest.raises(Problem, match="has 534 of at most 499 characters, sites included"):
        await searched("duckduckgo", "http://nowhere.test/", calls, query="x " * 200, domains=[
            "a" * 63 + ".example.org", "b" * 40 + ".org"
        ])  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "status", "says"),
    [
        ("searxng", 403, "does not answer in JSON"),
        ("searxng", 429, "Wait a little before the next search."),
        ("brave", 422, "Its key may be wrong or used up"),
        ("tavily", 401, "Its key may be wrong or used up"),
        ("tavily", 432, "Its key may be wrong or used up"),
        ("brave", 500, "Try later."),
    ],
)
async def test_each_services_refusals_say_what_to_do(
    provider: str, status: int, says: str, somewhere: Web, calls: Calls
) -> None:
    url = somewhere.page("/search", "{}", "application/json", status=status)
    with pytest.raises(Problem, match=says):
        await searched(provider, somewhere.url() if provider == "searxng" else url, calls)


@pytest.mark.parametrize(("body", "status"), [("{", 200), ("[]", 200), ("", 500), ("", 429)])
async def test_a_service_that_fails_is_a_problem_with_a_way_out(
    body: str, status: int, somewhere: Web, calls: Calls
) -> None:
    somewhere.page("/search", body, "application/json", status=status)
    with pytest.raises(Problem) as failed:
        await searched("searxng", somewhere.url(), calls)
    assert failed.value.code == "search_failed"


@pytest.mark.parametrize(
    ("provider", "lacks"), [("searxng", "url"), ("brave", "key"), ("tavily", "key")]
)
def test_settings_that_lack_something_name_it(provider: str, lacks: str) -> None:
    with pytest.raises(ConfigProblem, match=f"web.search.{lacks}"):
        search_of(msgspec.convert({"provider": provider}, SearchSettings), EGRESS)
