"""hf_docs against the documentation of the tests' own Hub."""

from typing import Any

import pytest

from agent.tools.hub_docs import MOST, PART
from tests.agent.tools.hub_scene import HubTools, fake, tools
from tests.fakes.hub.server import FakeHub

__all__ = ["fake", "tools"]
DOCS = "hf_docs"
FOUND = [
    {
        "text": "Use <code>SFTTrainer</code>\n\n to train.",
        "product": "trl",
        "heading1": "SFT Trainer",
        "heading2": "Quickstart",
        "source_page_url": "https://huggingface.co/docs/trl/sft_trainer#quickstart",
        "source_page_title": "SFT",
    },
    {"text": "x" * 700, "product": "peft", "source_page_title": "LoRA"},
]
INDEX = """<nav><a href="/docs/trl/index">Start</a><a href="/docs/trl/sft_trainer">SFT</a>
<a href="/docs/trl/sft_trainer#args">Arguments</a><a href="/docs/peft/index">Elsewhere</a></nav>"""
API = {
    "paths": {
        "/api/jobs/{namespace}": {
            "post": {
                "summary": "Start a job",
                "tags": ["jobs"],
                "parameters": [
                    {"name": "namespace", "in": "path", "required": True, "description": "Whose"},
                    {"$ref": "#/elsewhere"},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "properties": {"flavor": {}, "command": {}},
                                "required": ["flavor"],
                            }
                        }
                    }
                },
            },
            "parameters": [],
        },
        "/api/models": {"get": {"description": "List models"}},
    }
}


async def test_the_docs_are_searched(fake: FakeHub, tools: HubTools) -> None:
    fake.docs.found = FOUND
    said = await tools.says(DOCS, operation="explore", query="SFT", library="trl")
    assert said.splitlines() == [
        "## SFT Trainer · Quickstart",
        "https://huggingface.co/docs/trl/sft_trainer#quickstart",
        "Use SFTTrainer",
        "to train.",
    ]
    assert "x" * 600 + "..." in await tools.says(DOCS, operation="explore", query="lora")
    none = await tools.says(DOCS, operation="explore", query="lora", library="hub")
    assert none == "The docs of hub say nothing about that. Try other words."


async def test_the_pages_of_a_library_are_listed(fake: FakeHub, tools: HubTools) -> None:
    fake.docs.html["trl/index"] = INDEX
    assert (await tools.says(DOCS, operation="explore", library="trl")).splitlines() == [
        "Pages of trl (2):",
        "- Start: /docs/trl/index",
        "- SFT: /docs/trl/sft_trainer",
    ]
    fake.docs.html["odd/index"] = "<p>Nothing.</p>"
    assert "Explore with a `query`" in await tools.fails(DOCS, operation="explore", library="odd")


async def test_a_long_list_of_pages_comes_in_parts(fake: FakeHub, tools: HubTools) -> None:
    pages = [f'<a href="/docs/trl/p{number}">P{number}</a>' for number in range(MOST + 2)]
    fake.docs.html["trl/index"] = "".join(pages)
    first = await tools.says(DOCS, operation="explore", library="trl")
    assert first.splitlines()[-2:] == ["- P199: /docs/trl/p199", "[go on with offset 200]"]
    rest = await tools.says(DOCS, operation="explore", library="trl", offset=MOST)
    assert rest.splitlines()[1:] == ["- P200: /docs/trl/p200", "- P201: /docs/trl/p201"]


async def test_the_libraries_that_have_docs_are_listed(fake: FakeHub, tools: HubTools) -> None:
    fake.docs.index = [
        {"id": "trl", "url": "/docs/trl", "category": "Core ML Libraries"},
        {"id": "odd", "url": "/docs/odd"},
    ]
    assert (await tools.says(DOCS, operation="explore")).splitlines() == [
        "Docs of (explore one as `library`):",
        "- trl (Core ML Libraries)",
        "- odd (other)",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "trl/sft_trainer",
        "/docs/trl/sft_trainer",
        "docs/trl/sft_trainer.md",
        "https://huggingface.co/docs/trl/sft_trainer#quickstart",
    ],
)
async def test_a_page_comes_as_markdown(url: str, fake: FakeHub, tools: HubTools) -> None:
    fake.docs.pages["trl/sft_trainer"] = "# SFT\n\nTrain."
    assert await tools.says(DOCS, operation="fetch", url=url) == "# SFT\n\nTrain."
    assert fake.paths("GET") == ["/docs/trl/sft_trainer.md"]


async def test_a_page_without_markdown_is_made_readable(fake: FakeHub, tools: HubTools) -> None:
    fake.docs.html["trl/index"] = "<main><h1>TRL</h1><p>Trains <b>models</b>.</p></main>"
    assert await tools.says(DOCS, operation="fetch", url="trl") == "# TRL\n\nTrains **models**."


async def test_a_long_page_comes_in_parts(fake: FakeHub, tools: HubTools) -> None:
    fake.docs.pages["trl/long"] = "a" * PART + "the end"
    first = await tools.says(DOCS, operation="fetch", url="trl/long")
    assert first.endswith(f"of {PART + 7}; read on with offset {PART}]")
    rest = await tools.says(DOCS, operation="fetch", url="trl/long", offset=PART)
    assert rest == "the end"
    beyond = await tools.fails(DOCS, operation="fetch", url="trl/long", offset=PART * 2)
    assert "offset is beyond" in beyond


@pytest.mark.parametrize("url", ["https://example.org/docs/trl", "docs", "/", "trl/../../api/x"])
async def test_only_pages_of_the_docs_are_fetched(url: str, fake: FakeHub, tools: HubTools) -> None:
    await tools.fails(DOCS, operation="fetch", url=url)
    assert fake.asked == []


async def test_a_page_that_is_not_there_is_said(tools: HubTools) -> None:
    assert "nothing there" in await tools.fails(DOCS, operation="fetch", url="trl/none")


async def test_the_calls_of_the_api_are_found(fake: FakeHub, tools: HubTools) -> None:
    fake.docs.openapi = API
    said = await tools.says(DOCS, operation="api_search", query="start jobs")
    assert said.splitlines() == [
        f"## POST {fake.url}/api/jobs/{{namespace}}",
        "Start a job",
        "- namespace (path, required): Whose",
        "- body: flavor*, command",
    ]
    assert "No call" in await tools.says(DOCS, operation="api_search", query="zebra")
    assert len(fake.asked) == 1, "the description is kept for a while"


@pytest.mark.parametrize(
    ("arguments", "lacks"),
    [
        ({"operation": "fetch"}, "url"),
        ({"operation": "api_search"}, "query"),
    ],
)
async def test_what_an_operation_lacks_is_named(
    arguments: dict[str, Any], lacks: str, tools: HubTools
) -> None:
    assert (await tools.fails(DOCS, **arguments)).endswith(f"needs: {lacks}.")
