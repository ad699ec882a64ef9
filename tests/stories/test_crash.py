"""`kill -9` at any instant: what was seen is in the log, and nothing runs twice."""

import time

from tests.client import WITHIN, Viewer
from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import UNTIL_GO, Story, alive, bash, calls, named, told, up_when_asleep


async def crash(story: Story, session: str, viewer: Viewer) -> Viewer:
    """The server dies and comes back, and so does the viewer."""
    await story.restart()
    log = await viewer.leave()  # all that came is read
    return await story.join(session, log=log, generation=viewer.hello["log"])


def interrupted(turn: str) -> Frame:
    return {
        "type": "turn_ended",
        "turn": turn,
        "status": "interrupted",
        "reason": "server_restart",
    }


async def goes_on(story: Story, viewer: Viewer) -> None:
    ended = await story.turn(viewer, "Still there?", Reply(text="Yes."))
    assert ended["status"] == "completed"


async def test_mid_stream_the_half_sentence_is_kept(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    shown = "Once upon a time there was a word "
    gate = Gate()
    story.model.play(Reply(text=shown + "and more", chunk_size=len(shown), hold={1: gate}))
    await viewer.say("Tell me")
    await viewer.shows(shown)
    # At most the last 250 ms may be missing: let another session's turns pass the time.
    other = await story.join(await story.api.session())
    due = time.monotonic() + 0.6
    begun = 0.0
    while begun < due:  # the last turn begins when the draft is long on its way to the store
        begun = time.monotonic()
        await story.turn(other, "Tick")
    back = await crash(story, session, viewer)
    message = back.of("assistant_message")[0]
    assert message["text"] == shown
    assert message["partial"] is True
    assert named(back.events[-1], "seq") == interrupted(message["turn"])
    assert back.status["state"] == "idle"
    await goes_on(story, back)
    assert shown.strip() in str(story.model.requests[-1].messages)


async def test_a_partial_message_is_a_prefix_of_what_was_shown(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    text = "".join(f"word{number} " for number in range(4_000))
    story.model.play(Reply(text=text, chunk_size=10, hold={2_000: Gate()}))
    await viewer.say("Tell me")
    seen = await viewer.shows("word300 ")
    back = await crash(story, session, viewer)
    assert len(seen) > 0
    for message in back.of("assistant_message"):
        assert message["partial"] is True
        assert text.startswith(message["text"])
    assert back.kinds().count("turn_ended") == 1
    await goes_on(story, back)


async def test_before_the_first_word_nothing_is_made_up(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    story.model.play(Reply(text="Never", hold={"start": Gate()}))
    await viewer.say("Go")
    await story.model.request_arrived()
    back = await crash(story, session, viewer)
    assert told(back.events)[1:] == ["user_message", "turn_started", "turn_ended"]
    assert named(back.events[-1], "seq") == interrupted(back.of("turn_started")[0]["turn"])
    assert len(story.model.requests) == 1
    await goes_on(story, back)


async def test_a_started_tool_is_unknown_and_is_never_run_again(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    marker = f"86400.{time.time_ns() % 10**9}"
    sleepers = f"sleep {marker} & setsid sleep {marker} &"
    command = f"echo x >> runs.txt; {sleepers} {up_when_asleep(marker, 2)}; wait"
    story.model.play(calls(bash("echo done"), bash(command), text="Two things."))
    await viewer.say("Go")
    await viewer.until("tool_output", status="ok")
    await viewer.shows("up", "log")
    assert len(alive(f"sleep\0{marker}")) == 2
    await story.server.kill9()
    assert await gone(f"sleep\0{marker}")
    back = await crash(story, session, viewer)
    statuses = [output["status"] for output in back.of("tool_output")]
    assert statuses == ["ok", "unknown"]
    unknown = back.of("tool_output")[1]
    assert unknown["call"] == back.of("tool_call")[1]["call"]
    assert named(back.events[-1], "seq") == interrupted(unknown["turn"])
    assert back.status["state"] == "idle"
    await goes_on(story, back)
    answer = await story.api.get(f"/api/sessions/{session}/files/runs.txt")
    assert answer.body == b"x\n"
    assert len(back.of("tool_started")) == 2
    assert len(story.model.requests) == 2


async def gone(marker: str) -> bool:
    """Its children die with the server, if not in the same instant."""
    until = time.monotonic() + WITHIN
    while alive(marker):
        if time.monotonic() > until:
            return False
    return True


async def test_an_approved_call_that_had_not_started_is_cancelled(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    story.model.play(calls(bash("echo please-ask 1"), bash("echo please-ask 2")))
    await viewer.say("Go")
    question = await viewer.until("approval_required")
    one, two = (call["call"] for call in question["calls"])
    await viewer.accepted("approval", decisions=[{"call": one, "decision": "approve"}])
    back = await crash(story, session, viewer)
    # It is still parked: one call of the question is open.
    assert back.status["state"] == "awaiting_approval"
    assert back.of("tool_output") == []
    await back.accepted("interrupt")
    await back.until("turn_ended", status="interrupted")
    assert {output["status"] for output in back.of("tool_output")} == {"cancelled"}
    assert {output["call"] for output in back.of("tool_output")} == {one, two}


async def test_a_question_survives_and_is_answered_after_the_restart(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    story.model.play(calls(bash("echo please-ask"), bash("echo free"), text="May I?"))
    await viewer.say("Go")
    question = await viewer.until("approval_required")
    back = await crash(story, session, viewer)
    assert back.events[-1] == question
    assert back.status["state"] == "awaiting_approval"
    row = await story.api.look(session)
    assert (row["state"], row["pending_approvals"]) == ("awaiting_approval", 1)
    story.model.play(Reply(text="Thank you."))
    call = question["calls"][0]["call"]
    await back.accepted("approval", decisions=[{"call": call, "decision": "approve"}])
    ended = await back.until("turn_ended")
    assert (ended["turn"], ended["status"]) == (question["turn"], "completed")
    assert [output["status"] for output in back.of("tool_output")] == ["ok", "ok"]
    assert len(back.of("approval_required")) == 1


async def test_queued_input_is_held_until_resume(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    story.model.play(calls(bash(UNTIL_GO)))
    await viewer.say("Go")
    await viewer.shows("waiting", "log")
    queued = [(await viewer.say(text))["id"] for text in ("One", "Two")]
    back = await crash(story, session, viewer)
    assert [entry["submission"] for entry in back.status["queue"]] == queued
    assert back.status["held"] is True
    assert back.status["state"] == "idle"
    assert len(story.model.requests) == 1
    await back.accepted("resume")
    for name in queued:
        await back.until("user_message", submission=name)
        await back.until("turn_ended", status="completed")
    await back.status_is(held=False, queue=[])


async def test_queued_input_behind_a_question_waits_on(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    story.model.play(calls(bash("echo please-ask")))
    await viewer.say("Go")
    question = await viewer.until("approval_required")
    steer = await viewer.say("Faster", delivery="steer")
    back = await crash(story, session, viewer)
    assert back.status["state"] == "awaiting_approval"
    assert back.status["held"] is False
    story.model.play(Reply(text="Thank you."))
    call = question["calls"][0]["call"]
    await back.accepted("approval", decisions=[{"call": call, "decision": "approve"}])
    joined = await back.until("user_message", submission=steer["id"])
    assert joined["turn"] == question["turn"]
    await back.until("turn_ended", status="completed")


async def test_between_turns_nothing_is_added(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    await story.turn(viewer, "Hello")
    head = viewer.log.last
    back = await crash(story, session, viewer)
    assert back.log.last == head
    assert back.hello["log"] == viewer.hello["log"]
    assert back.frames[1]["type"] == "synced"
    await goes_on(story, back)
    await story.turn(back, "Undo me")
    await back.accepted("undo")


async def test_during_a_retry_wait_the_turn_ends_interrupted(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    story.model.play(Reply(status=429, headers={"Retry-After": "40"}, body={"error": {}}))
    await viewer.say("Go")
    await viewer.until("retrying")
    back = await crash(story, session, viewer)
    assert named(back.events[-1], "seq") == interrupted(back.of("turn_started")[0]["turn"])
    await goes_on(story, back)


async def test_during_a_compaction_nothing_is_compacted(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    for number in range(7):
        await story.turn(viewer, f"Count {number}")
    story.model.play_plain(Reply(text="A summary", hold={"start": Gate()}))
    frame = {"type": "compact", "id": "short-1"}
    await viewer.tell(frame)
    await story.model.plain_request_arrived()
    queued = (await viewer.say("Hurry"))["id"]
    back = await crash(story, session, viewer)
    assert back.of("compacted") == []
    if back.status["held"]:
        await back.accepted("resume")
    await back.until("user_message", submission=queued)
    await back.until("turn_ended", status="completed")
    story.model.play_plain(Reply(text="A summary"))
    assert "duplicate" not in await back.ask(frame)


async def test_an_ended_or_deleted_session_stays_so(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    deleted = await story.api.session()
    await viewer.tell({"type": "shutdown", "id": "end-1"})
    await viewer.closed()
    await story.api.good("DELETE", f"/api/sessions/{deleted}")
    back = await crash(story, session, viewer)
    assert back.status["state"] == "ended"
    assert (await story.api.get(f"/api/sessions/{deleted}")).status == 404


async def test_many_sessions_in_many_phases_are_recovered_before_ready(alone: NewStory) -> None:
    story = await alone()
    running = [await story.begin() for _ in range(4)]
    for _, viewer in running:
        story.model.play(Reply(text="Once upon a time", hold={1: Gate()}))
        await viewer.say("Go")
        await viewer.shows("Once upo")
    await story.restart()
    # The states are right although nobody has looked into any of them.
    page = await story.api.good("GET", "/api/sessions")
    assert [row["state"] for row in page["sessions"]] == ["idle"] * 4
    for session, viewer in running:
        events = await story.api.events(session)
        assert events[: viewer.log.last] == viewer.events
        assert named(events[-1], "seq") == interrupted(viewer.of("turn_started")[0]["turn"])


async def test_again_and_again(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    for number in range(3):
        story.model.play(
            calls(bash(f"echo {number}"), text="Now"), Reply(text="Next", hold={1: Gate()})
        )
        await viewer.say(f"Round {number}")
        await viewer.shows("Next")
        viewer = await crash(story, session, viewer)
    outputs = [output["output"][0] for output in viewer.of("tool_output")]
    assert outputs == ["0", "1", "2"]
    assert len(viewer.of("turn_ended")) == 3
    await goes_on(story, viewer)
