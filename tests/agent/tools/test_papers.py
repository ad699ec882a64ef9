"""hf_papers through the real library, and the graph of papers, on the tests' own Hub."""

from typing import Any

import pytest

from agent.errors import Problem
from agent.tools.hub_web import HubWeb
from agent.tools.paper_graph import PaperGraph
from agent.tools.paper_sections import PART, contents, section
from tests.agent.tools.hub_scene import HubTools, fake, tools
from tests.fakes.hub.server import FakeHub

__all__ = ["fake", "tools"]
PAPERS = "hf_papers"
DPO = "2305.18290"
TEXT = """# DPO

## Abstract

Preferences, directly.

## 1 Introduction

Long ago.

## 4 Method

We derive.

### 4.1 Loss

The loss is this.

## 5 Experiments

We ran.
"""
CITING = {"title": "After", "year": 2024, "citationCount": 1200, "externalIds": {"ArXiv": "2401.1"}}


@pytest.fixture
def dpo(fake: FakeHub) -> FakeHub:
    fake.papers.add(DPO, "Direct Preference Optimization", githubRepo="ada/dpo")
    fake.papers.text[DPO] = TEXT
    return fake


@pytest.mark.parametrize(
    "arguments", [{"operation": "search", "query": "preference"}, {"operation": "trending"}]
)
@pytest.mark.usefixtures("dpo")
async def test_papers_are_found(arguments: dict[str, Any], tools: HubTools) -> None:
    assert (await tools.says(PAPERS, **arguments)).splitlines() == [
        f"{DPO} · Direct Preference Optimization (2026-10-01, 3 upvotes)",
        "About Direct Preference Optimization.",
    ]


async def test_nothing_found_is_said(tools: HubTools) -> None:
    assert "Try other words" in await tools.says(PAPERS, operation="search", query="zebra")


@pytest.mark.usefixtures("dpo")
async def test_a_paper_is_described(tools: HubTools) -> None:
    said = await tools.says(PAPERS, operation="details", id=f"arxiv:{DPO}")
    assert said.startswith("# Direct Preference Optimization\n2305.18290 · Ada Lovelace\n")
    assert "Code: ada/dpo" in said
    missing = await tools.fails(PAPERS, operation="details", id="1234.5678")
    assert "nothing there" in missing


@pytest.mark.usefixtures("dpo")
async def test_a_paper_is_read_section_by_section(tools: HubTools) -> None:
    assert (await tools.says(PAPERS, operation="read", id=DPO)).splitlines() == [
        "Abstract: Preferences, directly.",
        "",
        "Sections (read one with `section`):",
        "1. DPO (0 characters)",
        "2.   Abstract (22 characters)",
        "3.   1 Introduction (9 characters)",
        "4.   4 Method (10 characters)",
        "5.     4.1 Loss (17 characters)",
        "6.   5 Experiments (7 characters)",
    ]
    method = "## 4 Method\n\nWe derive.\n\n### 4.1 Loss\n\nThe loss is this."
    for wanted in ("method", "4"):
        assert await tools.says(PAPERS, operation="read", id=DPO, section=wanted) == method
    none = await tools.fails(PAPERS, operation="read", id=DPO, section="appendix")
    assert none.startswith("There is no section 'appendix'. There are: 1. DPO; 2. Abstract;")


def test_a_long_section_comes_in_parts() -> None:
    text = "# A\n\n" + "x" * PART
    assert section(text, "1", 0).endswith(f"of {PART + 5}; read on with offset {PART}]")
    assert section(text, "1", PART) == "xxxxx"
    with pytest.raises(Problem, match="only 8005 characters"):
        section(text, "1", PART * 2)


def test_a_paper_without_headings_is_one_section() -> None:
    assert contents("Just text.").splitlines()[-1] == "1. The whole paper (10 characters)"


async def test_citations_references_and_likenesses_are_followed(
    fake: FakeHub, tools: HubTools
) -> None:
    line = "- 2401.1 · After (2024) · 1,200 citations"
    plain = {"citingPaper": {"title": None}, "isInfluential": False}
    telling = {"citingPaper": CITING, "isInfluential": True, "contexts": ["We\nbuild on it."]}
    fake.papers.graph["citations", DPO] = [plain, telling]
    fake.papers.graph["references", DPO] = [{"citedPaper": CITING}]
    fake.papers.graph["recommended", DPO] = [CITING]
    citing = await tools.says(PAPERS, operation="citations", id=DPO)
    assert citing.splitlines() == [
        f"{line} · influential",
        "  “We build on it.”",
        "- not on arXiv · untitled (no year) · 0 citations",
    ]
    assert await tools.says(PAPERS, operation="references", id=DPO) == line
    assert await tools.says(PAPERS, operation="recommend", id=DPO, limit=3) == line
    assert fake.asked[-1].query["limit"] == "3"
    assert fake.asked[-1].query["from"] == "all-cs", "not only what is new"


@pytest.mark.parametrize(
    ("how", "says"),
    [(404, "does not know this one"), (429, "Go on without it"), (403, "cannot be asked now")],
)
async def test_without_the_graph_it_is_said_how_to_go_on(
    how: int, says: str, fake: FakeHub, tools: HubTools
) -> None:
    fake.fail("/graph/", how)
    assert says in await tools.fails(PAPERS, operation="citations", id=DPO)


async def test_a_key_of_the_graph_goes_along(fake: FakeHub) -> None:
    fake.papers.graph["citations", DPO] = []
    graph = PaperGraph(HubWeb(f"{fake.url}/graph"), "the key")
    assert await graph.citing(DPO, 1, print) == []
    assert fake.asked[0].headers["x-api-key"] == "the key"


async def test_what_the_hub_has_of_a_paper_is_listed(fake: FakeHub, tools: HubTools) -> None:
    at = "2026-10-01T00:00:00.000Z"
    fake.papers.linked["datasets", DPO] = [{"id": "ada/set", "downloads": 1500}]
    fake.papers.linked["models", DPO] = [{"id": "ada/net", "pipeline_tag": "text-generation"}]
    fake.papers.linked["collections", DPO] = [
        {
            "slug": "ada/c-1",
            "title": "C",
            "owner": {"name": "ada"},
            "items": [],
            "lastUpdated": at,
            "private": False,
            "theme": "blue",
            "upvotes": 2,
        }
    ]
    for kind, line in {
        "datasets": "- ada/set · 1,500 downloads",
        "models": "- ada/net · 0 downloads · text-generation",
        "collections": "- ada/c-1 · C (2 upvotes)",
    }.items():
        assert await tools.says(PAPERS, operation=kind, id=DPO) == line
    none = await tools.says(PAPERS, operation="models", id="1234.5678")
    assert none == "No models of the Hub name 1234.5678."


@pytest.mark.parametrize(
    ("operation", "lacks"), [("search", "query"), ("read", "id"), ("citations", "id")]
)
async def test_what_an_operation_lacks_is_named(
    operation: str, lacks: str, tools: HubTools
) -> None:
    said = await tools.fails(PAPERS, operation=operation)
    assert said == f"The operation {operation} needs: {lacks}."


@pytest.mark.parametrize("id", ["../models", "x y", "", "2305.18290?a=b"])
async def test_an_id_leads_to_no_other_call(id: str, fake: FakeHub, tools: HubTools) -> None:
    assert "not valid" in await tools.fails(PAPERS, operation="read", id=id)
    assert fake.asked == []
