"""hf_search through the real library, against the tests' own Hub."""

from typing import Any

import pytest

from tests.agent.tools.hub_scene import HubTools, fake, tools
from tests.fakes.hub.server import FakeHub

__all__ = ["fake", "tools"]
SEARCH = "hf_search"
AT = "2026-10-01T00:00:00.000Z"
NET = {
    "id": "ada/net",
    "pipeline_tag": "text-generation",
    "downloads": 1500,
    "likes": 3,
    "lastModified": AT,
    "gated": "auto",
    "private": False,
}
SEEN = "ada/net · text-generation · 1,500 downloads · 3 likes · changed 2026-10-01 · gated"
SET = {"id": "ada/set", "downloads": 0, "private": True}
FOUND = {
    "model": (NET, f"- {SEEN}"),
    "dataset": (SET, "- ada/set · 0 downloads · private"),
    "space": ({"id": "ada/demo", "sdk": "gradio", "likes": 9}, "- ada/demo · gradio · 9 likes"),
}


@pytest.mark.parametrize("kind", FOUND)
async def test_what_fits_is_listed(kind: str, fake: FakeHub, tools: HubTools) -> None:
    entry, line = FOUND[kind]
    fake.papers.found[f"{kind}s"] = [entry]
    assert await tools.says(SEARCH, repo_type=kind, query="ada") == line
    asked = fake.asked[0].query
    assert (asked["search"], asked["limit"]) == ("ada", "15")
    assert asked["sort"] == ("likes" if kind == "space" else "downloads")


async def test_it_is_narrowed_by_author_and_tags(fake: FakeHub, tools: HubTools) -> None:
    fake.papers.found["models"] = [NET, {**NET, "id": "ada/other"}]
    asked: dict[str, Any] = {"author": "ada", "tags": ["text-generation", "language:de"]}
    said = await tools.says(SEARCH, **asked, sort="trending_score", limit=1)
    assert said.startswith("- ada/net · ")
    assert "ada/other" not in said
    query = fake.asked[0].query
    assert (query["author"], query.getall("filter")) == ("ada", asked["tags"])
    assert query["sort"] == "trendingScore"


async def test_nothing_found_is_said(tools: HubTools) -> None:
    assert await tools.says(SEARCH, query="zebra") == (
        "Nothing fits. Try fewer or other words or tags."
    )


async def test_a_search_for_nothing_says_what_it_takes(fake: FakeHub, tools: HubTools) -> None:
    assert await tools.fails(SEARCH) == "Name what to find: query, author or tags."
    assert fake.asked == []


async def test_it_only_reads(tools: HubTools) -> None:
    assert tools.toolbox.stakes(SEARCH, {"query": "x"}).effect == "read"
