"""The instants at which a server is killed: each way to one of them, and what must hold there.

What stands before a `yield` brings the server to the instant; what stands behind it is said after
the restart.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.phases_asleep import falling_asleep, waking_up
from tests.faults.phases_files import a_deletion, a_fork, a_retry, an_undo, an_upload
from tests.faults.report import Report
from tests.faults.scene import drafted, effects
from tests.faults.trial import A_COMMIT, Phase, Trial, asked
from tests.model_server import Gate, Reply
from tests.stories.scene import Story, calls, rule
from tests.stories.test_compaction import OVERFLOW, talk

CHUNK = 8
"""Characters of a reply's chunk; the first ten are reasoning."""


async def strike(story: Story, chance: random.Random, report: Report, phase: Phase) -> None:
    """One kill in this phase, and the judgement."""
    async with Trial(story.server, story.model, chance, report) as trial:
        async with asynccontextmanager(phase)(trial):
            await trial.fail_power(told(phase))
            await trial.return_power()
        await trial.judge()
    await story.connect()


def told(phase: Phase) -> str:
    return f"at: {phase.__name__.replace('_', ' ')}"


async def a_submission(trial: Trial) -> AsyncIterator[None]:
    viewer = await trial.begin()
    await trial.send(viewer, "user_input", text="Hello")
    await trial.instant(A_COMMIT / 3)
    yield


async def a_commit(trial: Trial) -> AsyncIterator[None]:
    """Many at once: a group of them is one transaction."""
    viewers = [await trial.begin() for _ in range(6)]
    trial.model.play(*(calls(trial.mark(), text="Well.") for _ in viewers))
    for viewer in viewers:
        await trial.send(viewer, "user_input", text="Go")
        await trial.send(viewer, "user_input", text="And then this")
    await trial.instant(A_COMMIT * 4)
    yield


async def a_stream(trial: Trial) -> AsyncIterator[None]:
    """What was drafted while it was held is all there, and perhaps some of what came behind it."""
    viewer = await trial.begin()
    said, kept = "word " * 300, 80 * CHUNK
    held = Gate()
    trial.model.play(Reply(text=said, reasoning="Hm. " * 20, hold={90: held, 160: Gate()}))
    await trial.send(viewer, "user_input", text="Speak")
    shown = await viewer.shows(said[:kept])
    await drafted(trial.story, kept)
    held.set()
    await trial.instant(0.3)
    yield
    messages = await trial.of(viewer, "assistant_message")
    assert len(messages) == 1, messages
    partial = messages[0]
    assert partial["partial"], partial
    assert partial["reasoning"] == "Hm. " * 20, partial
    assert partial["text"].startswith(shown), (shown, partial)
    assert said.startswith(partial["text"]), partial


async def a_tool(trial: Trial) -> AsyncIterator[None]:
    viewer = await trial.begin()
    trial.model.play(calls(trial.for_ever(), trial.mark("; sleep 0.1"), text="Both."))
    await trial.send(viewer, "user_input", text="Work")
    await viewer.shows("running", "log")
    await trial.instant(0.15)
    yield
    outputs = {event["status"] for event in await trial.of(viewer, "tool_output")}
    assert "unknown" in outputs, outputs


async def the_start_of_a_tool(trial: Trial) -> AsyncIterator[None]:
    viewer = await trial.begin()
    trial.model.play(calls(trial.for_ever(), trial.for_ever()))
    await trial.send(viewer, "user_input", text="Work")
    await viewer.until("tool_call")
    await trial.instant(0.08)
    yield


async def a_question(trial: Trial) -> AsyncIterator[None]:
    """It outlives the server, and what is allowed then runs once."""
    viewer = await trial.begin()
    call = await asked(trial, viewer)
    yield
    back = trial.viewers[viewer.session]
    assert back.status["state"] == "awaiting_approval", back.status
    await back.accepted("approval", decisions=[rule(call, "approve")])
    await back.until("turn_ended", status="completed")
    assert (await effects(trial.story.api, viewer.session)).total() == 1


async def a_ruling(trial: Trial) -> AsyncIterator[None]:
    viewer = await trial.begin()
    call = await asked(trial, viewer)
    await trial.send(viewer, "approval", decisions=[rule(call, "approve")])
    await trial.instant(0.06)
    yield


async def a_compaction_by_hand(trial: Trial) -> AsyncIterator[None]:
    viewer = await trial.begin()
    await talk(trial.story, viewer)
    trial.model.play_plain(Reply(text="They counted.", hold={"end": (gate := Gate())}))
    await trial.send(viewer, "compact")
    await gate.reached.wait()
    if trial.chance.random() < 0.6:
        gate.set()
        await trial.instant(A_COMMIT)
    yield
    assert len(await trial.of(viewer, "compacted")) <= 1


async def a_compaction_on_the_way(trial: Trial) -> AsyncIterator[None]:
    """Of itself, in the middle of a turn that did not fit any more."""
    viewer = await trial.begin()
    await talk(trial.story, viewer)
    trial.model.play(OVERFLOW)
    trial.model.play_plain(Reply(text="They counted.", hold={"end": (gate := Gate())}))
    await trial.send(viewer, "user_input", text="Count on")
    await gate.reached.wait()
    if trial.chance.random() < 0.6:
        gate.set()
        await trial.instant(A_COMMIT)
    yield


async def a_shutdown(trial: Trial) -> AsyncIterator[None]:
    """SIGTERM, with a stream, a tool and a question; the power fails before it is through."""
    streaming, working, asking = [await trial.begin() for _ in range(3)]
    call = await asked(trial, asking)
    trial.model.play(calls(trial.for_ever()))
    await trial.send(working, "user_input", text="Work")
    await working.shows("running", "log")
    trial.model.play(Reply(text="word " * 50, hold={20: Gate()}))
    await trial.send(streaming, "user_input", text="Speak")
    await streaming.shows("word word")
    await trial.tell_to_stop()
    yield
    back = trial.viewers[asking.session]
    assert back.status["state"] == "awaiting_approval", back.status
    await back.accepted("approval", decisions=[rule(call, "reject")])
    for viewer in (streaming, working):
        ends = await trial.of(viewer, "turn_ended")
        assert [e["reason"] for e in ends] == ["server_restart"], ends


async def a_recovery(trial: Trial) -> AsyncIterator[None]:
    """Again and again while it mends what the last blow left; all is mended once."""
    viewers = [await trial.begin() for _ in range(6)]
    for number, viewer in enumerate(viewers):
        trial.model.play(
            calls(trial.for_ever(), trial.mark())
            if number % 2
            else Reply(text="word " * 50, hold={20: Gate()})
        )
        await trial.send(viewer, "user_input", text="Go")
        await trial.send(viewer, "user_input", text="And this, later")
        await viewer.until("input_queued")
    await trial.fail_power(told(a_recovery))
    await trial.interrupted_starts(trial.chance.randrange(1, 4), 1.0)
    yield
    for viewer in viewers:
        ends = await trial.of(viewer, "turn_ended")
        assert [e["reason"] for e in ends] == ["server_restart"], ends
        back = trial.viewers[viewer.session]
        assert back.status["held"], back.status


PHASES: tuple[Phase, ...] = (
    a_submission,
    a_commit,
    a_stream,
    a_tool,
    the_start_of_a_tool,
    a_question,
    a_ruling,
    a_compaction_by_hand,
    a_compaction_on_the_way,
    an_undo,
    a_retry,
    falling_asleep,
    waking_up,
    a_fork,
    a_deletion,
    an_upload,
    a_shutdown,
    a_recovery,
)
