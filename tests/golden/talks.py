"""The conversations that the golden logs are of, each led to its end through the real socket."""

from collections.abc import Awaitable, Callable, Mapping

from tests.client import Viewer
from tests.fakes.mcp import ROGUE
from tests.model_server import CallScript, Gate, Reply
from tests.oracle import Frame
from tests.stories.scene import UNTIL_GO, Story, bash, calls, rule

Talk = Callable[[Story, Viewer], Awaitable[Viewer]]
"""Gives the viewer whose frames are the golden log: another one where it came back."""
STEPS = ({"id": "1", "content": "Look", "status": "completed"},
         {"id": "2", "content": "Tell", "status": "pending"})  # fmt: skip


async def plain(story: Story, viewer: Viewer) -> Viewer:
    reply = Reply(reasoning="They greet me.", text="Hello 👋🏽, *world*! Grüße, 你好.")
    await story.turn(viewer, "Hi", reply, id="hi")
    return viewer


async def parallel_tools(story: Story, viewer: Viewer) -> Viewer:
    """The second call ends before the first; the plan is not done when the model first answers."""
    plan = CallScript("plan", {"items": list(STEPS)})
    slow, quick = bash(UNTIL_GO), bash("until [ -e quick ]; do sleep 0.02; done; echo no; exit 3")
    story.model.play(calls(plan, text="First a plan."), calls(slow, quick, text="Both at once."))
    story.model.play(Reply(text="Done."), Reply(text="Really."))
    await viewer.say("Go", id="go")
    await viewer.shows("waiting", "log")
    await story.put(viewer.session, "quick")
    await viewer.until("tool_output", status="error")
    await story.put(viewer.session, "go")
    await viewer.until("turn_ended")
    return viewer


async def approval(story: Story, viewer: Viewer) -> Viewer:
    scripts = (bash("echo please-ask one"), bash("echo please-ask two"))
    story.model.play(calls(*scripts, text="May I?"))
    await viewer.say("Go", id="go")
    question = await viewer.until("approval_required")
    first, second = (entry["call"] for entry in question["calls"])
    story.model.play(Reply(text="As you wish."))
    edited = rule(first, "approve", arguments={"command": "echo edited"})
    await viewer.accepted("approval", id="ruling", decisions=[edited])
    rejected = rule(second, "reject", feedback="Not that one.")
    await viewer.accepted("approval", id="second-ruling", decisions=[rejected])
    await viewer.until("turn_ended")
    return viewer


async def research(story: Story, viewer: Viewer) -> Viewer:
    """Its helper reads one file, and may not write another."""
    await story.put(viewer.session, "tides.txt", b"High at noon.\n")
    look = CallScript("read", {"path": "tides.txt"})
    write = CallScript("write", {"path": "answer.txt", "content": "Noon."})
    task = {"task": "When is high water?", "context": "It is May."}
    story.model.play(calls(CallScript("research", task), text="I have it looked up."))
    story.model.play(calls(look), calls(write), Reply(text="At noon, says tides.txt."))
    await story.turn(viewer, "When?", Reply(text="At noon."), id="when")
    return viewer


async def queue(story: Story, viewer: Viewer) -> Viewer:
    """One waits, one joins, one is withdrawn."""
    gate = Gate()
    story.model.play(Reply(text="Working on it.", hold={1: gate}))
    story.model.play(Reply(text="With that too."), Reply(text="And the next."))
    await viewer.say("Begin", id="begin")
    await viewer.shows("Working ")
    await viewer.say("Next", id="next")
    await viewer.say("Also this", id="also", delivery="steer")
    await viewer.say("Never mind", id="never")
    await viewer.accepted("withdraw", id="w1", submission="never")
    await viewer.until("input_withdrawn")
    gate.set()
    await viewer.until("turn_started", submission="next")
    await viewer.until("turn_ended")
    return viewer


async def interrupt(story: Story, viewer: Viewer) -> Viewer:
    """Half a sentence stays; what waited is held."""
    story.model.play(Reply(text="Working on it.", hold={1: Gate()}))
    await viewer.say("Begin", id="begin")
    await viewer.shows("Working ")
    await viewer.say("Later", id="later")
    await viewer.accepted("interrupt", id="stop")
    await viewer.status_is(state="idle", held=True)
    return viewer


async def undo_retry(story: Story, viewer: Viewer) -> Viewer:
    await story.turn(viewer, "One", Reply(text="First."), id="one")
    await story.turn(viewer, "Two", Reply(text="Second."), id="two")
    await viewer.accepted("undo", id="undo")
    story.model.play(Reply(text="First, again."))
    await viewer.accepted("retry", id="retry")
    await viewer.until("turn_started", submission="retry")
    await viewer.until("turn_ended")
    return viewer


async def compaction(story: Story, viewer: Viewer) -> Viewer:
    for number in range(1, 8):
        await story.turn(
            viewer, f"Count {number}.", Reply(text=f"Counted {number}."), id=f"n{number}"
        )
    story.model.play_plain(Reply(text="They counted up to seven."))
    await viewer.accepted("compact", id="compact")
    await viewer.until("compacted")
    await viewer.accepted("set_model", id="model", model="openai/test-model")
    await viewer.until("session_updated")
    return viewer


async def restart(story: Story, viewer: Viewer) -> Viewer:
    """`kill -9` while a command runs: its outcome is unknown."""
    story.model.play(calls(bash(UNTIL_GO), text="Patience."))
    await viewer.say("Go", id="go")
    await viewer.shows("waiting", "log")
    await story.restart()
    log = await viewer.leave()
    back = await story.join(viewer.session, log=log, generation=viewer.hello["log"])
    back.frames[:0] = viewer.frames
    return back


async def limit(story: Story, viewer: Viewer) -> Viewer:
    """A reply runs into the model's output limit."""
    reply = Reply(text="There is so much more to", finish_reason="length")
    await story.turn(viewer, "Tell me everything", reply, id="all")
    await viewer.status_is(state="idle")
    return viewer


async def failure(story: Story, viewer: Viewer) -> Viewer:
    """The model is overloaded once, and then does not know us."""
    story.model.play(Reply(status=503, body=b"busy"))
    await story.turn(viewer, "Hello?", Reply(status=401, body=b"who?"), id="hello")
    return viewer


async def fork(story: Story, viewer: Viewer) -> Viewer:
    first = await story.turn(viewer, "One", Reply(text="First."), id="one")
    await story.turn(viewer, "Two", Reply(text="Second."), id="two")
    path = f"/api/sessions/{viewer.session}/fork"
    row: Frame = await story.api.good("POST", path, {"after_turn": first["turn"]})
    branch = await story.join(row["id"])
    await story.turn(branch, "Another way", Reply(text="Branched."), id="branch")
    return branch


async def ended(story: Story, viewer: Viewer) -> Viewer:
    await story.turn(viewer, "Bye", Reply(text="Goodbye."), id="bye")
    await viewer.accepted("shutdown", id="shutdown")
    await viewer.closed()
    return viewer


async def question(story: Story, viewer: Viewer) -> Viewer:
    """A server of tools asks twice: it is answered, and then stopped while it waits."""
    ask = CallScript("mcp_form_work", {})
    story.model.play(calls(ask, text="It asks."), Reply(text="Shipped."))
    await viewer.say("Ship it", id="ship")
    asked = await viewer.until("question_asked")
    content = {"email": "ada@example.org", "size": "l", "extras": ["bow", "card"]}
    answer = {"question": asked["question"], "action": "accept", "content": content}
    await viewer.accepted("answer", id="answer", **answer)
    await viewer.until("turn_ended")
    story.model.play(calls(ask))
    await viewer.say("And another", id="again")
    await viewer.until("question_asked")
    await viewer.accepted("interrupt", id="stop")
    await viewer.until("turn_ended")
    return viewer


CONFIGS: Mapping[str, Frame] = {
    "question": {
        "mcp_servers": {"form": {"command": [*ROGUE, "form"], "start_seconds": 60}},
        "approval": {"rules": [{"tool": "mcp_*", "decision": "allow"}]},
    }
}
"""What a talk needs beside what all stories have."""
ALL = (plain, parallel_tools, approval, queue, interrupt, undo_retry, compaction, restart)
LATER = (limit, failure, fork, ended, research, question)
TALKS: Mapping[str, Talk] = {talk.__name__: talk for talk in (*ALL, *LATER)}
