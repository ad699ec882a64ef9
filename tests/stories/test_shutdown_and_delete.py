"""How a session ends, how it is deleted, and how the server goes down with its sessions."""

import asyncio
import signal
import time

import pytest
from websockets.exceptions import ConnectionClosed

from tests.client import Viewer
from tests.model_server import Gate, Reply
from tests.stories.conftest import NewStory
from tests.stories.scene import (
    UNTIL_GO,
    Story,
    alive,
    bash,
    calls,
    handshake_refusal,
    named,
    told,
    up_when_asleep,
)

GAVE_UP = "leaving it behind"
"""What a server says that something keeps from stopping in its ten seconds."""


async def mid_sentence(story: Story, viewer: Viewer) -> None:
    story.model.play(Reply(text="Once upon a time", hold={1: Gate()}))
    await viewer.say("Tell me")
    await viewer.shows("Once upo")


async def test_a_shutdown_is_accepted_then_the_session_ends_and_the_socket_closes(
    story: Story,
) -> None:
    session, viewer = await story.begin()
    other = await story.join(session)
    answer = await viewer.ask({"type": "shutdown", "id": "end-1"})
    assert answer == {"type": "accepted", "id": "end-1", "seq": 2}
    ended = await viewer.until("session_ended")
    assert named(ended, "reason") == {"type": "session_ended", "seq": 2, "by": "dev"}
    assert ended["reason"]
    for who in (viewer, other):
        assert await who.closed() == 1000
        assert who.bye == {**(who.bye or {}), "type": "bye", "code": 1000}
        assert who.frames[-1] == who.bye
        assert who.events[-1] == ended


async def test_a_shutdown_interrupts_what_runs(story: Story) -> None:
    _, viewer = await story.begin()
    await mid_sentence(story, viewer)
    await viewer.say("Next")
    await viewer.tell({"type": "shutdown", "id": "end-1"})
    assert await viewer.closed() == 1000
    kinds = told(viewer.events)
    assert kinds[-1] == "session_ended"
    assert viewer.of("turn_ended")[0]["status"] == "interrupted"
    assert viewer.of("assistant_message")[0]["text"] == "Once upo"
    assert len(viewer.of("turn_started")) == 1
    await story.model.client_left()


async def test_a_shutdown_closes_a_question(story: Story) -> None:
    session, viewer = await story.begin()
    story.model.play(calls(bash("please-ask")))
    await viewer.say("Go")
    await viewer.until("approval_required")
    await viewer.tell({"type": "shutdown", "id": "end-1"})
    assert await viewer.closed() == 1000
    assert viewer.of("tool_output")[0]["status"] == "cancelled"
    row = await story.api.look(session)
    assert (row["state"], row["pending_approvals"], row["queue"]) == ("ended", 0, 0)


async def test_an_ended_session_is_read_but_not_continued(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Hello")
    await viewer.tell({"type": "shutdown", "id": "end-1"})
    await viewer.closed()
    late = await story.join(session)
    assert late.events == viewer.events
    assert late.status["state"] == "ended"
    for kind, fields in {
        "user_input": {"text": "Hello?"},
        "undo": {},
        "retry": {},
        "compact": {},
        "interrupt": {},
        "resume": {},
        "shutdown": {},
        "set_model": {"model": "openai/test-model"},
    }.items():
        assert (await late.refused(kind, **fields))["code"] == "session_ended", kind
    assert late.close_code is None  # its socket stays open
    export = await story.api.get(f"/api/sessions/{session}/export", format="jsonl")
    assert export.status == 200


async def test_deleting_closes_every_viewer_and_leaves_nothing(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "Hello")
    other = await story.join(session)
    answer = await story.api.call("DELETE", f"/api/sessions/{session}")
    assert (answer.status, answer.body) == (204, b"")
    for who in (viewer, other):
        assert await who.closed() == 4404
        assert who.bye is not None
        assert who.bye["code"] == 4404
        assert who.bye["reason"]
    for path in ("", "/events", "/export", "/files", "/nonsense"):
        gone = await story.api.get(f"/api/sessions/{session}{path}")
        assert (gone.status, gone.code) == (404, "no_such_session")
    again = await story.api.call("DELETE", f"/api/sessions/{session}")
    assert (again.status, again.code) == (404, "no_such_session")
    assert await handshake_refusal(Viewer(story.server.url, session)) == (404, "no_such_session")
    page = await story.api.good("GET", "/api/sessions")
    assert session not in [row["id"] for row in page["sessions"]]


async def test_deleting_stops_what_runs_and_frees_the_sandbox(story: Story) -> None:
    session, viewer = await story.begin()
    marker = f"86400.{time.time_ns() % 10**9}"
    story.model.play(calls(bash(f"setsid sleep {marker} & {up_when_asleep(marker, 1)}; wait")))
    await viewer.say("Go")
    await viewer.shows("up", "log")
    assert len(alive(f"sleep\0{marker}")) == 1
    await story.api.good("DELETE", f"/api/sessions/{session}")
    assert alive(f"sleep\0{marker}") == []
    assert await viewer.closed() == 4404
    left = [path for path in story.server.data.rglob("*") if session in path.name]
    assert left == []


async def test_a_deleted_reply_leaves_the_model(story: Story) -> None:
    session, viewer = await story.begin()
    await mid_sentence(story, viewer)
    await story.api.good("DELETE", f"/api/sessions/{session}")
    await story.model.client_left()
    assert await viewer.closed() == 4404


async def test_everything_at_once_to_a_session_that_is_being_deleted(story: Story) -> None:
    for number in range(8):
        session, viewer = await story.begin()
        await story.turn(viewer, "Hello")
        path = f"/api/sessions/{session}"
        frame = {"type": "user_input", "id": "in-1", "text": "Hello?"}
        answers = await asyncio.gather(
            story.api.submit(session, frame),
            story.api.call("POST", f"{path}/fork", {}),
            story.api.call("DELETE", path),
            story.api.submit(session, {"type": "compact", "id": "c-1"}),
            story.api.call("POST", f"{path}/fork", {}),
            story.api.call("PATCH", path, {"title": "New"}),
            story.api.call("DELETE", path),
        )
        allowed = {200, 201, 204, 404, 409, 503}
        assert {answer.status for answer in answers} <= allowed, (number, answers)
        assert sorted(answer.status for answer in (answers[2], answers[6])) == [204, 404]
        assert (await story.api.get(path)).status == 404
        assert await viewer.closed() == 4404


async def test_sigterm_ends_running_turns_tells_viewers_and_exits_0(alone: NewStory) -> None:
    story = await alone()
    talking, speaker = await story.begin()
    await mid_sentence(story, speaker)
    working, worker = await story.begin()
    story.model.play(calls(bash(UNTIL_GO), text="Working."))
    await worker.say("Go")
    await worker.shows("waiting", "log")
    queued = (await worker.say("Next"))["id"]
    asking, asker = await story.begin()
    story.model.play(calls(bash("please-ask")))
    await asker.say("Go")
    question = await asker.until("approval_required")
    _, idle = await story.begin()

    assert await story.server.terminate() == 0

    for viewer in (speaker, worker, asker, idle):
        assert await viewer.closed() == 1012
        assert viewer.bye is not None
        assert viewer.bye["code"] == 1012
        assert viewer.bye["reason"]
    for viewer in (speaker, worker):
        ended = viewer.events[-1]
        assert named(ended, "seq", "turn") == {
            "type": "turn_ended",
            "status": "interrupted",
            "reason": "server_restart",
        }
    message = speaker.of("assistant_message")[0]
    assert (message["text"], message["partial"]) == ("Once upo", True)
    assert worker.of("tool_output")[0]["status"] == "cancelled"
    assert asker.events[-1] == question

    await story.restart()
    for session, viewer in ((talking, speaker), (working, worker), (asking, asker)):
        back = await story.join(session, log=viewer.log)
        assert back.frames[1]["type"] == "synced"  # nothing was added at the start
        if session == working:
            assert back.status["held"] is True
            assert [entry["submission"] for entry in back.status["queue"]] == [queued]
        if session == asking:
            assert back.status["state"] == "awaiting_approval"
    assert (await story.turn(await story.join(talking), "Go on"))["status"] == "completed"


async def test_a_stopping_server_takes_no_more_turns(alone: NewStory) -> None:
    story = await alone()
    _, viewer = await story.begin()
    ending = asyncio.create_task(story.server.terminate())
    try:
        for number in range(200):
            await viewer.ask({"type": "user_input", "id": f"late-{number}", "text": "Hello"})
    except (ConnectionClosed, AssertionError):
        pass
    assert await ending == 0
    await story.restart()
    session = viewer.session
    events = await story.api.events(session)
    assert events[: viewer.log.last] == viewer.events
    assert told(events).count("turn_started") == told(events).count("turn_ended")


async def test_a_second_sigterm_exits_at_once(alone: NewStory) -> None:
    story = await alone()
    _, viewer = await story.begin()
    await mid_sentence(story, viewer)
    ending = asyncio.create_task(story.server.terminate())
    await asyncio.sleep(0)
    story.server.signal(signal.SIGTERM)
    assert await ending in (0, 1)  # 0 when all was done by then, or both came as one
    assert GAVE_UP not in story.server.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_server_stops_quickly_and_says_nothing_more(
    alone: NewStory, how: signal.Signals
) -> None:
    story = await alone()
    await story.begin()
    story.server.signal(how)
    assert await story.server.exited() == 0
    assert GAVE_UP not in story.server.stderr
    assert story.server.stdout == [f"Mooring listens on {story.server.url}"]
