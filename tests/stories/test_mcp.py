"""Servers of tools that somebody else wrote, in a session: offered, asked for, lost, and back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.agent.sandbox.running import become
from tests.fakes.mcp import ROGUE, WORKSHOP
from tests.model_server import CallScript, Reply
from tests.model_server.server import Seen
from tests.serving import Server
from tests.stories.conftest import overlay
from tests.stories.scene import Story, StoryModel, alive, asked, calls, rule, shown, told

MOST = {"start_seconds": 60}
"""The machine may be busy: nothing here is about how long a server takes."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(model: StoryModel, place: Path) -> AsyncIterator[Server]:
    servers = {
        "shop": {"command": list(WORKSHOP), "hub_token": "environment", **MOST},
        "plain": {"command": list(WORKSHOP), **MOST},
        "fragile": {"command": [*ROGUE, "dies once", str(place)], **MOST},
        "slow": {"command": [*ROGUE, "slow", str(place)], **MOST},
        "stubborn": {"command": [*ROGUE, "stubborn", str(place)], **MOST},
        "gone": {"command": ["no-such-program"]},
    }
    config = overlay({"mcp_servers": servers, "approval": {"rules": ALLOWED}})
    environment = {"HF_TOKEN": "hf_of_the_dev_user"}
    folder = place / "server"
    folder.mkdir()
    async with Server(folder, model.url, config=config, environment=environment) as server:
        yield server


ALLOWED = [
    {"tool": f"mcp_{name}", "decision": "allow"}
    for name in ("*_whoami", "fragile_work", "slow_work")
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where servers that do not work leave what they have to say."""
    return tmp_path_factory.mktemp("mcp")


def offered(request: Seen) -> list[str]:
    return [tool["function"]["name"] for tool in request.body["tools"]]


async def test_what_reads_runs_and_what_may_publish_asks(story: Story) -> None:
    _, viewer = await story.begin()
    sum_up = CallScript("mcp_shop_add", {"a": 2, "b": 3})
    publish = CallScript("mcp_shop_publish", {"text": "it"})
    ended = await story.turn(viewer, "Add", calls(sum_up), Reply(text="Five."))
    assert ended["status"] == "completed"
    (call,) = viewer.of("tool_call")
    assert (call["tool"], call["effect"]) == ("mcp_shop_add", "read")
    assert viewer.of("tool_output")[0]["output"] == "5"
    question = await asked(story, viewer, publish)
    assert question["calls"][0]["reason"] == "it leaves the sandbox (may publish)"
    story.model.play(Reply(text="Done."))
    id = question["calls"][0]["call"]
    await viewer.accepted("approval", decisions=[rule(id, "approve")])
    await viewer.until("turn_ended", turn=question["turn"])
    assert viewer.of("tool_output")[-1]["output"] == "published it"


async def test_a_session_works_with_the_servers_that_it_names(story: Story) -> None:
    session, viewer = await story.begin(mcp_servers=["plain"])
    assert viewer.of("session_created")[0]["mcp_servers"] == ["plain"]
    await story.turn(viewer, "Hello", Reply(text="Hello."))
    theirs = {name.split("_")[1] for name in offered(story.model.requests[-1]) if "mcp_" in name}
    assert theirs == {"plain"}
    fork = await story.api.good("POST", f"/api/sessions/{session}/fork", {})
    (created,) = (await story.join(fork["id"])).of("session_created")
    assert created["mcp_servers"] == ["plain"]
    _, none = await story.begin(mcp_servers=[])
    await story.turn(none, "Hello", Reply(text="Hello."))
    assert not [name for name in offered(story.model.requests[-1]) if name.startswith("mcp_")]
    answer = await story.api.call("POST", "/api/sessions", {"mcp_servers": ["nobodys"]})
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_a_picture_is_a_file_of_the_session(story: Story) -> None:
    session, viewer = await story.begin()
    picture = CallScript("mcp_shop_picture", {})
    await story.turn(viewer, "Draw", calls(picture), Reply(text="There."))
    (output,) = viewer.of("tool_output")
    (path,) = output["files"]
    assert path in output["output"]
    answer = await story.api.get(f"/api/sessions/{session}/files/{path}")
    assert answer.status == 200


async def test_a_users_token_goes_where_it_is_configured_to_and_nowhere_else(story: Story) -> None:
    _, viewer = await story.begin()
    both = [CallScript(f"mcp_{name}_whoami", {}) for name in ("shop", "plain")]
    await story.turn(viewer, "Who", calls(*both), Reply(text="So."))
    outputs = {o["call"]: o["output"] for o in viewer.of("tool_output")}
    first, second = (outputs[c["call"]] for c in viewer.of("tool_call"))
    assert not first.startswith("None")
    assert second == "None None"


async def test_a_session_is_told_of_servers_that_are_not_there(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", Reply(text="Hello."))
    (notice,) = viewer.of("notice")
    assert (notice["code"], "no-such-program" in notice["text"]) == ("mcp_lost", True)
    request = story.model.requests[-1]
    assert "no-such-program" in shown(request)
    assert "mcp_shop_add" in offered(request)
    assert not [name for name in offered(request) if name.startswith("mcp_gone")]
    await story.turn(viewer, "Again", Reply(text="Yes."))
    assert len(viewer.of("notice")) == 1


async def test_a_server_that_dies_ends_its_call_and_comes_back(story: Story, place: Path) -> None:
    _, viewer = await story.begin()
    work = CallScript("mcp_fragile_work", {})
    await story.turn(viewer, "Work", calls(work), Reply(text="Lost."))
    (output,) = viewer.of("tool_output")
    assert output["status"] == "error"
    assert "was lost while it worked" in output["output"]
    while viewer.of("tool_output")[-1]["status"] == "error":  # it may pause before it is back
        await story.turn(viewer, "Work", calls(work), Reply(text="So."))
    codes = [n["code"] for n in viewer.of("notice") if "fragile" in n["text"]]
    assert codes == ["mcp_lost", "mcp_back"]


async def test_an_interrupt_reaches_the_server(story: Story, place: Path) -> None:
    _, viewer = await story.begin()
    story.model.play(calls(CallScript("mcp_slow_work", {})))
    await viewer.say("Wait")
    await become((place / "called").exists)
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended")
    assert viewer.of("tool_output")[0]["status"] == "cancelled"
    await become((place / "cancelled").exists)


async def test_a_tool_that_is_not_there_does_nothing(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Go", calls(CallScript("mcp_shop_none", {})), Reply(text="No."))
    assert "approval_required" not in told(viewer.events)
    assert "There is no tool" in viewer.of("tool_output")[0]["output"]


async def test_servers_die_with_the_server_that_started_them(story: Story, place: Path) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", Reply(text="Hello."))
    await become((place / "pids").exists)
    marker = f"stubborn\0{place}"
    before = set(alive(marker))
    assert before
    await story.restart()
    await become(lambda: not before & set(alive(marker)))
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", Reply(text="Hello."))
    assert alive(marker)
    assert await story.server.terminate() == 0
    assert not alive(marker), "it has ended them before it went"
    await story.restart()
