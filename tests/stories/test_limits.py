"""What one person may have, and what the refusal says."""

import asyncio
import time

from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.client import WITHIN, Viewer
from tests.model_server import Gate, Reply
from tests.oracle import Broken, Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls, form, handshake_refusal


def limits(**values: int) -> Frame:
    return {"limits": {"submissions_per_minute": 100_000, **values}}


async def hold(story: Story, viewer: Viewer) -> Gate:
    gate = Gate()
    story.model.play(Reply(text="Working on it.", hold={1: gate}))
    await viewer.say("Go")
    await viewer.shows("Working ")
    return gate


async def test_one_may_have_so_many_stored_sessions(alone: NewStory) -> None:
    story = await alone(limits(sessions_per_user=3))
    first, viewer = await story.begin()
    await story.api.session()
    third = await story.api.session()
    answer = await story.api.call("POST", "/api/sessions", {})
    assert (answer.status, answer.code) == (429, "too_many_sessions")
    assert "3 of 3" in answer.json["error"]["message"]
    # Ended ones do not count, and neither do deleted ones.
    await viewer.tell({"type": "shutdown", "id": "end-1"})
    await viewer.closed()
    await story.api.session()
    assert (await story.api.call("POST", "/api/sessions", {})).status == 429
    await story.api.good("DELETE", f"/api/sessions/{third}")
    fourth = await story.api.session()
    full = await story.api.call("POST", f"/api/sessions/{first}/fork", {})
    assert full.status in (409, 429)
    assert (await story.api.look(fourth))["state"] == "idle"


async def test_so_many_inputs_may_be_queued(alone: NewStory) -> None:
    story = await alone(limits(queued_per_session=3))
    _, viewer = await story.begin()
    gate = await hold(story, viewer)
    for number in range(3):
        await viewer.say(f"Number {number}")
    refused = await viewer.refused("user_input", text="One too many")
    assert refused["code"] == "too_many_queued"
    assert "3" in refused["message"]
    name = (await viewer.until("input_queued"))["submission"]
    await viewer.accepted("withdraw", submission=name)
    await viewer.say("Now there is room")
    gate.set()
    for _ in range(4):
        await viewer.until("turn_ended", status="completed")


async def test_so_many_may_look_at_a_session(alone: NewStory) -> None:
    story = await alone(limits(viewers_per_session=2))
    session, viewer = await story.begin()
    await story.join(session)
    status, code = await refused_or_closed(Viewer(story.server.url, session))
    assert (status, code) == (1013, "bye") or status in (429, 503)
    await story.join(await story.api.session())
    await viewer.leave()


async def test_one_may_have_so_many_connections(alone: NewStory) -> None:
    story = await alone(limits(connections_per_user=2))
    await story.begin()
    _, second = await story.begin()
    session = await story.api.session()
    status, code = await refused_or_closed(Viewer(story.server.url, session))
    assert (status, code) == (1013, "bye") or status in (429, 503)
    await second.leave()
    await joined_in_the_end(story, session)


async def refused_or_closed(viewer: Viewer) -> tuple[int, str]:
    """How a connection too many ends: by a status before the upgrade or by a close code."""
    try:
        return await handshake_refusal(viewer)
    except AssertionError:
        return viewer.close_code or 0, (viewer.bye or {"type": "none"})["type"]


async def joined_in_the_end(story: Story, session: str) -> None:
    """A place is free soon after somebody left."""
    until = time.monotonic() + WITHIN
    while True:
        try:
            await story.join(session)
        except (InvalidStatus, ConnectionClosed, Broken):
            assert time.monotonic() < until
        else:
            return


async def test_submissions_are_rate_limited_but_never_the_brakes(alone: NewStory) -> None:
    story = await alone(limits(submissions_per_minute=10))
    session, viewer = await story.begin()
    sent = {"type": "set_auto_approval", "enabled": False}
    begun = time.monotonic()  # all at once: the bucket fills again while they come one by one
    asked = [await viewer.send({**sent, "id": f"s{number}"}) for number in range(40)]
    answers = [await viewer.answer(future) for future in asked]
    refused = [answer for answer in answers if answer["type"] != "accepted"]
    assert 10 <= 40 - len(refused) <= 10 + (time.monotonic() - begun) / 6 + 1
    for answer in refused:
        assert (answer["type"], answer["code"]) == ("refused", "rate_limited")
        assert 0 < answer["retry_after"] <= 60
    posts = [story.api.submit(session, {**sent, "id": f"h{number}"}) for number in range(30)]
    posted = [answer for answer in await asyncio.gather(*posts) if answer.status != 200]
    assert {(answer.status, answer.json["code"]) for answer in posted} == {(429, "rate_limited")}
    # Neither pings nor repeats nor stops are limited.
    for number in range(20):
        assert (await viewer.ask({"type": "ping", "id": f"p{number}"}))["type"] == "pong"
    for _ in range(20):
        assert (await viewer.ask({**sent, "id": "s0"}))["duplicate"] is True
    assert (await viewer.refused("interrupt"))["code"] == "nothing_running"
    await viewer.accepted("shutdown", id="end-1")


async def test_a_turn_too_many_waits_for_its_slot(alone: NewStory) -> None:
    story = await alone(limits(running_turns_per_user=1))
    _, one = await story.begin()
    gate = await hold(story, one)
    _, two = await story.begin()
    answer = await two.say("Me too")
    assert (await two.until("user_message"))["submission"] == answer["id"]
    await two.until("turn_started")
    await two.status_is(state="running", activity="waiting")
    assert len(story.model.requests) == 1
    gate.set()
    await one.until("turn_ended", status="completed")
    await two.until("turn_ended", status="completed")


async def test_a_waiting_turn_can_be_stopped(alone: NewStory) -> None:
    story = await alone(limits(running_turns_per_user=1))
    _, one = await story.begin()
    gate = await hold(story, one)
    _, two = await story.begin()
    await two.say("Me too")
    await two.status_is(activity="waiting")
    await two.accepted("interrupt")
    await two.until("turn_ended", status="interrupted")
    assert len(story.model.requests) == 1
    gate.set()
    await one.until("turn_ended", status="completed")


async def test_a_parked_turn_needs_no_slot(alone: NewStory) -> None:
    story = await alone(limits(running_turns_per_user=1))
    _, one = await story.begin()
    story.model.play(calls(bash("please-ask")))
    await one.say("Ask")
    await one.until("approval_required")
    _, two = await story.begin()
    assert (await story.turn(two, "Hello"))["status"] == "completed"


async def test_idle_sessions_make_room_for_others(alone: NewStory) -> None:
    story = await alone(limits(live_sessions=2))
    viewers = [(await story.begin())[1] for _ in range(6)]
    for number, viewer in enumerate(viewers):
        await story.turn(viewer, f"Session {number}", Reply(text=f"Reply {number}"))
    for number, viewer in enumerate(viewers):  # each is woken again, with its own memory
        await story.turn(viewer, "Again")
        assert f"Session {number}" in str(story.model.requests[-1].messages)
        assert viewer.close_code is None


async def test_a_question_hibernates_too_and_is_answered_later(alone: NewStory) -> None:
    story = await alone(limits(live_sessions=1))
    _, asker = await story.begin()
    story.model.play(calls(bash("echo please-ask")))
    await asker.say("Ask")
    question = await asker.until("approval_required")
    _, other = await story.begin()
    await story.turn(other, "Hello")
    story.model.play(Reply(text="Thank you."))
    call = question["calls"][0]["call"]
    await asker.accepted("approval", decisions=[{"call": call, "decision": "approve"}])
    await asker.until("turn_ended", status="completed")


async def test_when_all_run_turns_wait_and_when_as_many_wait_input_is_refused(
    alone: NewStory,
) -> None:
    story = await alone(limits(live_sessions=2, running_turns_per_user=2))
    viewers = [(await story.begin())[1] for _ in range(6)]
    gates = [await hold(story, viewers[0]), await hold(story, viewers[1])]
    waiting = []
    for viewer in viewers[2:]:
        answer = await viewer.ask({"type": "user_input", "id": "in-1", "text": "Me too"})
        if answer["type"] == "refused":
            assert answer["code"] == "server_full"
            frame = {"type": "user_input", "id": "in-http", "text": "Me too"}
            posted = await story.api.submit(viewer.session, frame)
            assert (posted.status, posted.json["code"]) == (503, "server_full")
            break
        waiting.append(viewer)
        await viewer.status_is(state="running", activity="waiting")
    assert len(waiting) == 2
    for gate in gates:
        gate.set()
    for viewer in [*viewers[:2], *waiting]:
        await viewer.until("turn_ended", status="completed")
    refused = viewers[4]
    accepted = await refused.ask({"type": "user_input", "id": "in-1", "text": "Me too"})
    assert accepted["type"] == "accepted"
    await refused.until("turn_ended", status="completed")


async def test_uploads_have_a_limit(alone: NewStory) -> None:
    story = await alone(limits(upload_mib=1))
    session = await story.api.session()
    await story.put(session, "small.bin", b"x" * 500_000)
    path = f"/api/sessions/{session}/files"
    answer = await story.api.call("POST", path, data=form("big.bin", b"x" * 1_500_000))
    assert answer.status == 413
    assert answer.code
    files = (await story.api.good("GET", path))["files"]
    assert [file["path"] for file in files] == ["small.bin"]


async def test_many_sessions_run_side_by_side(alone: NewStory) -> None:
    story = await alone(limits(running_turns_per_user=30))
    viewers = [(await story.begin())[1] for _ in range(12)]
    gates = [Gate() for _ in viewers]
    story.model.play(*(Reply(text="Working on it.", hold={1: gate}) for gate in gates))
    await asyncio.gather(*(viewer.say("Go") for viewer in viewers))
    await asyncio.gather(*(gate.reached.wait() for gate in gates))
    for gate in gates:
        gate.set()
    for viewer in viewers:
        await viewer.until("turn_ended", status="completed")
