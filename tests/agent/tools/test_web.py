"""The web tools: pages as markdown, and each search service's own format."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import pytest_asyncio

from agent.errors import ConfigProblem, Problem
from agent.tools.egress import Egress
from agent.tools.port import Outcome
from agent.tools.toolbox import Finished, Toolbox
from agent.tools.web_fetch import PART, WebFetch
from agent.tools.web_search import SearchSettings, WebSearch, search_of
from tests.agent.tools.calls import Calls
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


DUCK = """
<div class="result result--ad"><a class="result__a" href="http://ad.test/">Ad</a></div>
<div class="result"><a class="result__a"
  href="//duckduckgo.com/l/?uddg=https%3A%2F%2Fhf.co%2Fdocs%3Fa%3D1&amp;rut=x">The <b>docs</b></a>
  <a class="result__snippet">How to
  train</a></div>
<div class="result"><a class="result__a" href="https://b.test/">B</a></div>
"""
RESULT = {"url": "https://hf.co/docs?a=1", "title": "The <b>docs</b>", "content": "How to\ntrain"}
JSON: dict[str, object] = {
    "searxng": {"results": [RESULT, {"url": "https://b.test/", "title": "B"}], "more": 1},
    "tavily": {"results": [RESULT, {"url": "https://b.test/", "title": "B"}], "answer": None},
    "brave": {
        "web": {
            "results": [
                {"url": RESULT["url"], "title": "The docs", "description": "How to train"},
                {"url": "https://b.test/", "title": "B"},
            ]
        }
    },
}
FOUND = "1. The docs\n   https://hf.co/docs?a=1\n   How to train\n2. B\n   https://b.test/\n   "
Search = Callable[..., object]


def settings(provider: str, url: str) -> SearchSettings:
    asked = {"provider": provider, "url": url, "key": "the-key"}
    return msgspec.convert(asked, SearchSettings)


def answers(somewhere: Web, provider: str) -> str:
    if provider == "duckduckgo":
        return somewhere.page("/html/", DUCK)
    path = "/search" if provider == "searxng" else "/api"
    url = somewhere.page(path, msgspec.json.encode(JSON[provider]), "application/json")
    return somewhere.url() if provider == "searxng" else url


async def searched(provider: str, url: str, calls: Calls, **more: object) -> Outcome:
    tool = WebSearch(search_of(settings(provider, url), EGRESS))
    asked = msgspec.convert({"query": "fine tune", **more}, tool.arguments)
    return await tool.run(asked, calls())


@pytest.mark.parametrize("provider", ["duckduckgo", "searxng", "brave", "tavily"])
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


async def test_sites_can_be_asked_for(somewhere: Web, calls: Calls) -> None:
    url = answers(somewhere, "searxng")
    await searched("searxng", url, calls, domains=["hf.co", "arxiv.org"])
    assert somewhere.asked[0].query["q"] == "fine tune site:hf.co OR site:arxiv.org"


async def test_no_results_are_said_with_what_to_do(somewhere: Web, calls: Calls) -> None:
    outcome = await searched("duckduckgo", somewhere.page("/html/", "<p>None.</p>"), calls)
    assert (outcome.status, "other or fewer words" in outcome.output) == ("ok", True)


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
