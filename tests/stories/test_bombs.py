"""Answers that inflate to very much, or never end, from those whom the server asks itself."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.fakes.bomb import INFLATED_MIB, bomb
from tests.fakes.hub.server import ADA, FakeHub, Trouble
from tests.model_server import CallScript, Reply
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, calls

MOST_MIB = INFLATED_MIB // 2
"""What an answer may cost at its worst moment, and what loads for the first time."""
DEFLATED = {"Content-Encoding": "gzip"}
LIST = CallScript("hf_repo_files", {"operation": "list", "repo_id": "ada/net"})


def peak_mib(story: Story) -> int:
    """The most that the server's memory ever was."""
    told = Path(f"/proc/{story.server.pid}/status").read_text()
    (line,) = [line for line in told.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) // 1024


@pytest.mark.parametrize(
    ("trouble", "says"), [("bomb", "compressed, which nobody asked for"), ("endless", "16 MiB")]
)
async def test_the_hub_cannot_fill_the_memory(alone: NewStory, trouble: Trouble, says: str) -> None:
    async with FakeHub() as hub:
        hub.repos.add("ada/net", refs={"main": {"a.txt": b"x"}})
        story = await alone({"hub": hub.config}, environment={"HF_TOKEN": ADA})
        _, viewer = await story.begin()
        await story.turn(viewer, "Look", calls(LIST), Reply(text="There."))
        assert hub.asked[-1].headers["Accept-Encoding"] == "identity"
        before = peak_mib(story)
        hub.fail("ada/net", trouble)
        ended = await story.turn(viewer, "Look again", calls(LIST), Reply(text="Not there."))
        assert ended["status"] == "completed"
        output = viewer.of("tool_output")[-1]
        assert (output["status"], says in output["output"]) == ("error", True), output
        assert peak_mib(story) - before < MOST_MIB


@asynccontextmanager
async def answering(body: bytes, headers: Mapping[str, str]) -> AsyncIterator[str]:
    """The address of something that says the same to everybody."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
async def test_a_server_of_tools_cannot_fill_the_memory(alone: NewStory, kind: str) -> None:
    async with answering(bomb(), {**DEFLATED, "Content-Type": kind}) as url:
        story = await alone({"mcp_servers": {"far": {"url": url, "start_seconds": 60}}})
        _, none = await story.begin(mcp_servers=[])
        await story.turn(none, "Hello", Reply(text="Hello."))
        before = peak_mib(story)
        _, viewer = await story.begin()
        ended = await story.turn(viewer, "Hello", Reply(text="Hello."))
        assert ended["status"] == "completed", "the session goes on without its tools"
        assert peak_mib(story) - before < MOST_MIB


async def test_a_model_cannot_fill_the_memory(alone: NewStory) -> None:
    story = await alone({"retry": {"transient_seconds": []}})
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", Reply(text="Hello."))
    before = peak_mib(story)
    ended = await story.turn(viewer, "Again", Reply(raw=[bomb()], tail=False, headers=DEFLATED))
    assert ended["status"] == "failed"
    assert peak_mib(story) - before < MOST_MIB
