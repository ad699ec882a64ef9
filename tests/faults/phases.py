"""The instants at which a server is killed: each way to one of them, and what must hold there.

What stands before a `yield` brings the server to the instant; what stands behind it is said after
the restart.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.client import Viewer
from tests.faults.report import Report
from tests.faults.scene import effects
from tests.faults.talk import EFFECTS
from tests.faults.trial import Trial
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.stories.scene import Story, bash, calls, form, rule
from tests.stories.test_compaction import OVERFLOW, talk

Phase = Callable[[Trial], AsyncIterator[None]]
A_COMMIT = 0.015
"""Seconds in which a commit is begun, written and told, give or take."""
A_RESTORE = 0.06


async def strike(story: Story, chance: random.Random, report: Report, phase: Phase) -> None:
    """One kill in this phase, and the judgement."""
    report.tried[f"kill -9 at: {phase.__name__.replace('_', ' ')}"] += 1
    async with Trial(story.server, story.model, chance, report) as trial:
        async with asynccontextmanager(phase)(trial):
            await trial.fail_power()
            await trial.return_power()
        await trial.judge()
    await story.connect()


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
    viewer = await trial.begin()
    trial.model.play(Reply(text="word " * 200, reasoning="Hm. " * 20, hold={90: Gate()}))
    await trial.send(viewer, "user_input", text="Speak")
    await viewer.shows("word word")
    await trial.instant(0.3)
    shown = viewer.connection.texts
    yield
    for event in viewer.of("assistant_message"):
        text = shown.get(("text", event["item"]), "")
        assert event["text"].startswith(text) or text.startswith(event["text"])


async def a_tool(trial: Trial) -> AsyncIterator[None]:
    viewer = await trial.begin()
    trial.model.play(calls(trial.for_ever(), trial.mark("; sleep 0.1"), text="Both."))
    await trial.send(viewer, "user_input", text="Work")
    await viewer.shows("running", "log")
    await trial.instant(0.15)
    yield
    outputs = {event["status"] for event in await trial.stored(viewer) if "output" in event}
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
    call = await _asked(trial, viewer)
    yield
    back = trial.viewers[viewer.session]
    assert back.status["state"] == "awaiting_approval", back.status
    await back.accepted("approval", decisions=[rule(call, "approve")])
    await back.until("turn_ended", status="completed")
    assert (await effects(trial.story.api, viewer.session)).total() == 1


async def a_ruling(trial: Trial) -> AsyncIterator[None]:
    viewer = await trial.begin()
    call = await _asked(trial, viewer)
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
    assert len([e for e in await trial.stored(viewer) if e["type"] == "compacted"]) <= 1


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


async def an_undo(trial: Trial) -> AsyncIterator[None]:
    viewer = await _with_a_file(trial)
    await trial.send(viewer, "undo")
    await trial.instant(A_RESTORE)
    yield
    await _files_agree(trial, viewer)


async def a_retry(trial: Trial) -> AsyncIterator[None]:
    viewer = await _with_a_file(trial)
    await trial.send(viewer, "retry")
    await trial.instant(A_RESTORE)
    yield
    kinds = [event["type"] for event in await trial.stored(viewer)]
    if "turn_undone" in kinds:
        at = kinds.index("turn_undone")
        assert kinds[at + 1 : at + 3] == ["user_message", "turn_started"], kinds
    await _files_agree(trial, viewer)


async def falling_asleep(trial: Trial) -> AsyncIterator[None]:
    """More sessions than may live: to begin in one puts another to sleep."""
    viewers = [await trial.begin() for _ in range(4)]
    for viewer in viewers:
        trial.model.play(calls(trial.mark()), Reply(text="Done."))
        await trial.story.turn(viewer, "Go")
    await trial.send(viewers[0], "user_input", text="Again")
    await trial.instant(A_COMMIT)
    yield


async def waking_up(trial: Trial) -> AsyncIterator[None]:
    viewers = [await trial.begin() for _ in range(3)]
    for viewer in viewers:
        await trial.story.turn(viewer, "Go")
    call = await _asked(trial, viewers[0])
    for viewer in viewers[1:]:
        await trial.story.turn(viewer, "Go on")
    await trial.send(viewers[0], "approval", decisions=[rule(call, "reject")])
    await trial.instant(A_COMMIT)
    yield


async def a_fork(trial: Trial) -> AsyncIterator[None]:
    """It is there whole, with its files, or not at all."""
    viewer = await _with_a_file(trial)
    path = f"/api/sessions/{viewer.session}/fork"
    asking = asyncio.create_task(trial.story.api.call("POST", path, {}))
    await trial.instant(A_RESTORE)
    yield
    _ = await asyncio.gather(asking, return_exceptions=True)
    trunk = await trial.stored(viewer)
    for session in await _others(trial):
        fork = await trial.adopt(session)
        log = await trial.stored(fork)
        assert log[0]["forked_from"]["session"] == viewer.session
        assert log[1 : len(trunk)] == trunk[1:]
        assert await effects(trial.story.api, session) == await effects(
            trial.story.api, viewer.session
        )


async def a_deletion(trial: Trial) -> AsyncIterator[None]:
    """It is gone with all its files, or all of it is there."""
    viewer = await _with_a_file(trial)
    path = f"/api/sessions/{viewer.session}"
    asking = asyncio.create_task(trial.story.api.call("DELETE", path))
    await trial.instant(A_RESTORE)
    known = trial.viewers.pop(viewer.session)
    yield
    _ = await asyncio.gather(asking, return_exceptions=True)
    answer = await trial.story.api.get(path)
    assert answer.status in (200, 404), answer
    files = trial.server.data / "workspaces" / viewer.session
    if answer.status == 404:
        assert not files.exists(), "the files of a session that is gone"
    else:
        assert (await effects(trial.story.api, viewer.session)).total() == 1
        trial.viewers[viewer.session] = await trial.story.join(known.session, log=known.log)


async def an_upload(trial: Trial) -> AsyncIterator[None]:
    """The file is the old one or the new one."""
    viewer = await trial.begin()
    old, new = b"old" * 1000, b"new!" * 200_000
    await trial.story.put(viewer.session, "data.bin", old)
    path = f"/api/sessions/{viewer.session}/files"
    body = form("data.bin", new)
    asking = asyncio.create_task(trial.story.api.call("POST", path, data=body))
    await trial.instant(0.03)
    yield
    _ = await asyncio.gather(asking, return_exceptions=True)
    answer = await trial.story.api.get(f"{path}/data.bin")
    assert answer.status == 200, answer
    assert answer.body in (old, new), len(answer.body)
    listed = [file["path"] for file in (await trial.story.api.good("GET", path))["files"]]
    assert listed == ["data.bin"], listed


async def a_shutdown(trial: Trial) -> AsyncIterator[None]:
    """SIGTERM, with a stream, a tool and a question; the power fails before it is through."""
    streaming, working, asking = [await trial.begin() for _ in range(3)]
    call = await _asked(trial, asking)
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
        ends = [e for e in await trial.stored(viewer) if e["type"] == "turn_ended"]
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
    await trial.fail_power()
    await trial.interrupted_starts(trial.chance.randrange(1, 4), 1.0)
    yield
    for viewer in viewers:
        ends = [e for e in await trial.stored(viewer) if e["type"] == "turn_ended"]
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


async def _asked(trial: Trial, viewer: Viewer) -> str:
    """A turn has come to its question; the call it is about."""
    trial.model.play(calls(trial.mark("; : please-ask"), text="May I?"))
    await trial.send(viewer, "user_input", text="Ask")
    question: Frame = await viewer.until("approval_required")
    return str(question["calls"][0]["call"])


async def _with_a_file(trial: Trial) -> Viewer:
    """A session whose last turn has left a mark in its workspace."""
    viewer = await trial.begin()
    await trial.story.turn(viewer, "Hello")
    await trial.story.turn(viewer, "Write", calls(trial.mark()), Reply(text="Written."))
    return viewer


async def _files_agree(trial: Trial, viewer: Viewer) -> None:
    """What the log says is undone nobody finds any more, and what it does not say is there."""
    undone = any(event["type"] == "turn_undone" for event in await trial.stored(viewer))
    seen = (await effects(trial.story.api, viewer.session)).total()
    back = trial.viewers[viewer.session]
    await trial.story.turn(back, "Look", calls(bash(f"cat {EFFECTS}; true")), Reply(text="So."))
    found = [e["output"].count("mark-") for e in back.of("tool_output")][-1]
    left = (await effects(trial.story.api, viewer.session)).total()
    assert seen == found == left == (0 if undone else 1), (undone, seen, found, left)


async def _others(trial: Trial) -> list[str]:
    """Sessions that the trial did not begin; what earlier ones began is deleted."""
    page = await trial.story.api.good("GET", "/api/sessions", limit=500)
    return [row["id"] for row in page["sessions"] if row["id"] not in trial.viewers]
