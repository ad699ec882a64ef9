"""A research through the whole house: its steps are seen live, and nothing gets past the rules."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from tests.client import WITHIN, Viewer
from tests.fakes.web import PUBLIC, Web
from tests.model_server import CallScript, Gate, Reply
from tests.model_server.server import Seen
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, calls, named, shown, told

OVERLAY: Frame = {
    "web": {"allow": [f"{PUBLIC}/32"]},
    "approval": {
        "rules": [
            {"tool": "web_fetch", "match": {"url": "/secret"}, "decision": "deny"},
            {"tool": "web_fetch", "match": {"url": "/private"}, "decision": "ask"},
            {"tool": "research", "match": {"task": "please-ask"}, "decision": "ask"},
        ]
    },
}
HELPER = "You find something out"
"""How the system prompt of a helper begins."""
RULED = {"status": "rejected", "tool": "web_fetch"}


@pytest_asyncio.fixture(loop_scope="session")
async def somewhere() -> AsyncIterator[Web]:
    async with Web() as server:
        yield server


class Held:
    """A page that is not given before the test lets it go."""

    def __init__(self, somewhere: Web, path: str, text: str = "Noon.") -> None:
        self.asked, self.left, self._go = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._text = text
        self.url = somewhere.serve(path, self._answer)

    def give(self) -> None:
        self._go.set()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.set()
        try:
            await self._go.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return web.Response(text=self._text)


def research(task: str, **more: str) -> CallScript:
    return CallScript("research", {"task": task, **more})


def fetch(url: str) -> CallScript:
    return CallScript("web_fetch", {"url": url})


def helped(story: Story) -> list[Seen]:
    """The requests to helpers."""
    requests = story.model.requests
    return [seen for seen in requests if seen.messages[0]["content"].startswith(HELPER)]


async def begun(story: Story, held: Held) -> Viewer:
    """A research whose helper waits for a page."""
    _, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("When is high water?")), calls(fetch(held.url)))
    await viewer.say("Go")
    async with asyncio.timeout(WITHIN):
        await held.asked.wait()
    await viewer.shows(held.url, "log")
    return viewer


async def test_its_steps_are_seen_while_it_goes_on(story: Story, somewhere: Web) -> None:
    page, held = somewhere.page("/a", "Moon."), Held(somewhere, "/b")
    session, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("When is high water?", context="It is May.")))
    story.model.play(calls(fetch(page), fetch(held.url), text="I look."))
    story.model.play(Reply(text="At noon: see the second page."), Reply(text="At noon."))
    await viewer.say("When?")
    first = await viewer.until("step")
    assert named(first, "seq", "turn", "call", "step", "seconds") == {
        "type": "step",
        "tool": "web_fetch",
        "arguments": {"url": page},
        "status": "ok",
        "output": f"{page}\n\nMoon.",
    }
    log = await viewer.shows(held.url, "log")
    assert log.splitlines() == [f'web_fetch {{"url":"{url}"}}' for url in (page, held.url)]
    late = await story.join(session)
    assert [event["step"] for event in late.of("step")] == [first["step"]]
    assert await late.shows(held.url, "log") == log
    held.give()
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "completed"
    assert told(viewer.events)[1:] == [
        *("user_message", "turn_started", "assistant_message", "tool_call", "tool_started"),
        *("step", "step", "tool_output", "assistant_message", "turn_ended"),
    ]
    [output] = viewer.of("tool_output")
    assert (output["status"], output["output"]) == ("ok", f"{log}At noon: see the second page.")
    assert "At noon: see the second page." in shown(story.model.requests[-1])
    [call] = viewer.of("tool_call")
    assert (call["tool"], call["effect"]) == ("research", "read")
    assert {step["call"] for step in viewer.of("step")} == {call["call"]}


async def test_its_helper_knows_the_task_and_is_offered_what_reads(story: Story) -> None:
    _, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("When?", context="It is May.")), Reply(text="At noon."))
    await story.turn(viewer, "A word that the helper never hears", Reply(text="Noon."))
    [seen] = helped(story)
    assert [message["role"] for message in seen.messages] == ["system", "user"]
    assert seen.messages[1]["content"] == "When?\n\n[What is known already]\nIt is May."
    offered = {tool["function"]["name"] for tool in seen.body["tools"]}
    assert offered >= {"read", "web_search", "web_fetch", "github", "hf_papers", "hf_repo_files"}
    assert not offered & {"bash", "write", "edit", "plan", "research"}


async def test_several_go_on_side_by_side(story: Story, somewhere: Web) -> None:
    pages = {name: Held(somewhere, f"/{name}", f"{name}.") for name in ("one", "two")}

    def answer(seen: Seen) -> Reply | None:
        if not seen.messages[0]["content"].startswith(HELPER):
            return None
        name = seen.messages[1]["content"]
        looked = seen.messages[-1]["role"] == "tool"
        return Reply(text=f"Found {name}.") if looked else calls(fetch(pages[name].url))

    story.model.answer = answer
    _, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("one"), research("two")))
    await viewer.say("Go")
    async with asyncio.timeout(WITHIN):
        for page in pages.values():
            await page.asked.wait()
    pages["two"].give()
    await viewer.until("tool_output")
    pages["one"].give()
    await viewer.until("turn_ended")
    one, two = (call["call"] for call in viewer.of("tool_call"))
    assert [step["call"] for step in viewer.of("step")] == [two, one]
    outputs = {event["call"]: event["output"] for event in viewer.of("tool_output")}
    assert (outputs[one].splitlines()[-1], outputs[two].splitlines()[-1]) == (
        "Found one.",
        "Found two.",
    )


@pytest.mark.parametrize("path", ["/secret", "/private"], ids=["denied", "asks"])
async def test_no_rule_is_got_round_through_it(story: Story, somewhere: Web, path: str) -> None:
    url = somewhere.page(path, "The combination is 1234.")
    _, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("Open it")), calls(fetch(url)), Reply(text="I may not."))
    await story.turn(viewer, "Go", Reply(text="A pity."))
    [step] = viewer.of("step")
    assert {key: step[key] for key in RULED} == RULED
    assert somewhere.asked == []
    assert viewer.of("approval_required") == []
    assert step["output"] in [m["content"] for m in helped(story)[-1].messages]


async def test_what_changes_something_is_not_run_for_it(story: Story) -> None:
    session, viewer = await story.begin(title="Tides")
    await viewer.accepted("set_auto_approval", enabled=True)
    scripts = (
        CallScript("write", {"path": "a.txt", "content": "x"}),
        CallScript("bash", {"command": "touch b.txt"}),
        CallScript("hf_repo_git", {"operation": "create_repo", "repo_id": "me/x"}),
    )
    story.model.play(calls(research("Do it")), calls(*scripts), Reply(text="I only read."))
    await story.turn(viewer, "Go", Reply(text="I see."))
    assert [step["status"] for step in viewer.of("step")] == ["rejected"] * 3
    files = await story.api.good("GET", f"/api/sessions/{session}/files")
    assert [f["path"] for f in files["files"] if f["path"] in ("a.txt", "b.txt")] == []


async def test_a_rule_may_ask_before_a_research(story: Story) -> None:
    _, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("please-ask")))
    await viewer.say("Go")
    question = await viewer.until("approval_required")
    assert [asked["tool"] for asked in question["calls"]] == ["research"]
    assert helped(story) == []
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended", status="interrupted")


async def test_a_stop_reaches_the_call_it_waits_for(story: Story, somewhere: Web) -> None:
    held = Held(somewhere, "/slow")
    viewer = await begun(story, held)
    await viewer.accepted("interrupt")
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "interrupted"
    async with asyncio.timeout(WITHIN):
        await held.left.wait()
    [output] = viewer.of("tool_output")
    assert output["status"] == "cancelled"
    assert output["output"].startswith("web_fetch ")
    assert viewer.of("step") == []


async def test_a_stop_reaches_its_model(story: Story) -> None:
    _, viewer = await story.begin(title="Tides")
    gate = Gate()
    story.model.play(calls(research("When?")), Reply(text="Once upon", hold={1: gate}))
    await viewer.say("Go")
    async with asyncio.timeout(WITHIN):
        await gate.reached.wait()
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended", status="interrupted")
    await story.model.client_left()
    assert viewer.of("tool_output")[0]["status"] == "cancelled"


async def test_a_failing_model_is_its_result(story: Story) -> None:
    _, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("When?")), Reply(status=503, body=b"busy"))
    story.model.play(Reply(status=401, body=b"who?"))
    ended = await story.turn(viewer, "Go", Reply(text="I could not find out."))
    assert ended["status"] == "completed"
    [output] = viewer.of("tool_output")
    assert output["status"] == "error"
    assert "The research is not finished. The model failed:" in output["output"]
    [retry] = viewer.of("retrying")
    assert (retry["attempt"], retry["turn"]) == (1, ended["turn"])


async def test_what_it_uses_is_told_and_counts_in_the_session(story: Story) -> None:
    session, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("When?")), Reply(text="At noon."))
    await story.turn(viewer, "Go", Reply(text="Noon."))
    used = [(event["purpose"], event["input_tokens"]) for event in viewer.of("usage")]
    assert used == [("main", 100), ("research", 100), ("main", 100)]
    row = await story.api.good("GET", f"/api/sessions/{session}")
    assert row["usage"]["input_tokens"] == 300
    # The helper's conversation is its own: what the session's model is shown did not grow by it.
    assert viewer.status["context"]["used"] < 200


async def test_it_stops_where_the_turn_has_used_up_its_tokens(alone: NewStory) -> None:
    story = await alone({"turn": {"max_tokens": 200}})
    session, viewer = await story.begin(title="Tides")
    await story.put(session, "a.txt", b"High at noon.\n")
    story.model.play(calls(research("When?")))
    story.model.play(calls(CallScript("read", {"path": "a.txt"}), text="I look."))
    await viewer.say("Go")
    ended = await viewer.until("turn_ended")
    assert (ended["status"], ended["reason"]) == ("limit", "tokens")
    [output] = viewer.of("tool_output")
    assert output["status"] == "error"
    assert "The turn has reached its limit (tokens)." in output["output"]
    assert len(helped(story)) == 1


async def test_another_model_may_do_it_and_it_has_to_conclude(alone: NewStory) -> None:
    story = await alone({"research": {"model": "openai/cheap", "max_iterations": 1}})
    _, viewer = await story.begin(title="Tides")
    story.model.play(calls(research("When?")), Reply(text="At noon, I think."))
    await story.turn(viewer, "Go", Reply(text="Noon."))
    assert [seen.body["model"] for seen in story.model.requests] == [
        *("test-model", "cheap", "test-model")
    ]
    [seen] = helped(story)
    assert "You have no calls left." in seen.messages[-1]["content"]
    assert viewer.of("tool_output")[0]["output"] == "At noon, I think."


async def test_after_a_crash_its_outcome_is_unknown(alone: NewStory, somewhere: Web) -> None:
    story = await alone(OVERLAY)
    held = Held(somewhere, "/slow")
    viewer = await begun(story, held)
    await story.restart()
    log = await viewer.leave()
    back = await story.join(viewer.session, log=log, generation=viewer.hello["log"])
    [output] = back.of("tool_output")
    assert output["status"] == "unknown"
    assert named(back.events[-1], "seq", "turn") == {
        "type": "turn_ended",
        "status": "interrupted",
        "reason": "server_restart",
    }
    asked = len(somewhere.asked)
    await story.turn(back, "Again?", Reply(text="I shall look at it anew."))
    assert len(somewhere.asked) == asked
    assert len(helped(story)) == 1
