"""What happens to a message that comes while the agent is busy."""

import pytest

from tests.client import Viewer
from tests.model_server import Gate, Reply
from tests.stories.scene import UNTIL_GO, Story, bash, calls, named, shown, told


async def busy(story: Story, viewer: Viewer, text: str = "Go") -> Gate:
    """A turn whose reply has begun and is held."""
    gate = Gate()
    story.model.play(Reply(text="Working on it.", hold={1: gate}))
    await viewer.say(text)
    await viewer.shows("Working ")
    return gate


async def held(story: Story, viewer: Viewer, *texts: str) -> list[str]:
    """Inputs that an interrupt has left in the queue."""
    await busy(story, viewer)
    queued = [(await viewer.say(text))["id"] for text in texts]
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended", status="interrupted")
    await viewer.status_is(state="idle", held=True)
    return queued


async def test_input_while_the_agent_is_busy_is_queued_and_begins_when_the_turn_ends(
    story: Story,
) -> None:
    session, viewer = await story.begin()
    gate = await busy(story, viewer)
    answer = await viewer.say("And then this", id="next-1")
    queued = await viewer.until("input_queued")
    assert answer["seq"] == queued["seq"]
    assert {key: queued[key] for key in ("type", "submission", "text", "delivery")} == {
        "type": "input_queued",
        "submission": "next-1",
        "text": "And then this",
        "delivery": "queue",
    }
    entry = {"submission": "next-1", "text": "And then this", "delivery": "queue", "author": "dev"}
    await viewer.status_is(state="running", queue=[entry], held=False)
    assert (await story.api.look(session))["queue"] == 1
    gate.set()
    ended = await viewer.until("turn_ended")
    message = await viewer.until("user_message", submission="next-1")
    started = await viewer.until("turn_started", submission="next-1")
    # One commit: nobody sees the session idle in between.
    assert [message["seq"], started["seq"]] == [ended["seq"] + 1, ended["seq"] + 2]
    assert message["at"] == started["at"] == ended["at"]
    await viewer.until("turn_ended")
    await viewer.status_is(state="idle", queue=[])


async def test_the_queue_is_first_in_first_out(story: Story) -> None:
    _, viewer = await story.begin()
    gate = await busy(story, viewer)
    sent = [(await viewer.say(f"Number {number}"))["id"] for number in range(3)]
    gate.set()
    for name in sent:
        await viewer.until("user_message", submission=name)
        await viewer.until("turn_ended", status="completed")
    assert [shown(seen).count("Number") for seen in story.model.requests] == [0, 1, 2, 3]


async def test_a_steered_message_joins_at_the_next_model_call(story: Story) -> None:
    session, viewer = await story.begin()
    story.model.play(calls(bash(UNTIL_GO)), Reply(text="Faster, then."))
    await viewer.say("Go")
    await viewer.shows("waiting", "log")
    answer = await viewer.say("Faster, please", delivery="steer")
    queued = await viewer.until("input_queued")
    assert queued["delivery"] == "steer"
    entry = {
        "submission": answer["id"],
        "text": "Faster, please",
        "delivery": "steer",
        "author": "dev",
    }
    await viewer.status_is(queue=[entry])
    await story.put(session, "go")
    joined = await viewer.until("user_message", submission=answer["id"])
    assert named(joined, "seq") == {
        "type": "user_message",
        "turn": viewer.of("turn_started")[0]["turn"],
        "submission": answer["id"],
        "text": "Faster, please",
        "author": "dev",
        "steered": True,
    }
    assert viewer.of("tool_output")[0]["seq"] < joined["seq"]
    await viewer.until("turn_ended", status="completed")
    assert len(viewer.of("turn_started")) == 1
    assert "Faster, please" not in shown(story.model.requests[0])
    assert "Faster, please" in shown(story.model.requests[1])


async def test_a_steered_message_gets_a_model_call_of_its_own_behind_a_last_reply(
    story: Story,
) -> None:
    _, viewer = await story.begin()
    gate = await busy(story, viewer)
    story.model.play(Reply(text="That too."))
    await viewer.say("And that?", delivery="steer")
    gate.set()
    await viewer.until("turn_ended", status="completed")
    kinds = ["user_message", "turn_started", "input_queued", "assistant_message"]
    kinds += ["user_message", "assistant_message", "turn_ended"]
    assert told(viewer.events)[1:] == kinds
    assert [m["text"] for m in viewer.of("assistant_message")] == ["Working on it.", "That too."]


async def test_a_steered_message_of_a_turn_that_ends_otherwise_stays_queued(story: Story) -> None:
    _, viewer = await story.begin()
    await busy(story, viewer)
    answer = await viewer.say("Later, then", delivery="steer")
    await viewer.accepted("interrupt")
    entry = {
        "submission": answer["id"],
        "text": "Later, then",
        "delivery": "steer",
        "author": "dev",
    }
    await viewer.status_is(state="idle", held=True, queue=[entry])
    await viewer.accepted("resume")
    message = await viewer.until("user_message", submission=answer["id"])
    assert "steered" not in message or message["steered"] is False
    await viewer.until("turn_started")
    await viewer.until("turn_ended", status="completed")


async def test_steering_an_idle_session_is_ordinary_input(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", delivery="steer")
    assert told(viewer.events)[1:] == [
        "user_message",
        "turn_started",
        "assistant_message",
        "turn_ended",
    ]
    assert not viewer.of("user_message")[0].get("steered")


async def test_queued_input_is_taken_back(story: Story) -> None:
    _, viewer = await story.begin()
    gate = await busy(story, viewer)
    first = (await viewer.say("Not this"))["id"]
    second = (await viewer.say("But this"))["id"]
    answer = await viewer.accepted("withdraw", submission=first)
    withdrawn = await viewer.until("input_withdrawn")
    assert answer["seq"] == withdrawn["seq"]
    assert named(withdrawn, "seq") == {
        "type": "input_withdrawn",
        "submission": first,
        "by": "dev",
    }
    entry = {"submission": second, "text": "But this", "delivery": "queue", "author": "dev"}
    await viewer.status_is(queue=[entry])
    gate.set()
    await viewer.until("user_message", submission=second)
    await viewer.until("turn_ended")
    assert "Not this" not in shown(story.model.requests[1])


async def test_what_is_not_in_the_queue_cannot_be_taken_back(story: Story) -> None:
    _, viewer = await story.begin()
    gate = await busy(story, viewer)
    running = viewer.of("user_message")[0]["submission"]
    for submission in ("never-sent", running):
        refused = await viewer.refused("withdraw", submission=submission)
        assert refused["code"] == "not_queued"
    gate.set()
    await viewer.until("turn_ended")


async def test_an_interrupt_holds_the_queue_until_resume(story: Story) -> None:
    session, viewer = await story.begin()
    one, two = await held(story, viewer, "One", "Two")
    assert (await story.api.look(session))["queue"] == 2
    assert len(story.model.requests) == 1
    answer = await viewer.accepted("resume")
    message = await viewer.until("user_message", submission=one)
    assert answer["seq"] == message["seq"]
    await viewer.until("turn_ended", status="completed")
    await viewer.until("user_message", submission=two)  # the rest follow
    await viewer.until("turn_ended", status="completed")
    await viewer.status_is(state="idle", held=False, queue=[])


async def test_input_to_an_idle_session_begins_ahead_of_the_held(story: Story) -> None:
    _, viewer = await story.begin()
    (one,) = await held(story, viewer, "One")
    ahead = await viewer.say("Ahead")
    await viewer.until("user_message", submission=ahead["id"])
    await viewer.until("turn_ended", status="completed")
    entry = {"submission": one, "text": "One", "delivery": "queue", "author": "dev"}
    await viewer.status_is(state="idle", held=True, queue=[entry])
    await viewer.accepted("resume")
    await viewer.until("user_message", submission=one)
    await viewer.until("turn_ended", status="completed")


async def test_the_hold_ends_when_nothing_of_it_is_left(story: Story) -> None:
    _, viewer = await story.begin()
    one, two = await held(story, viewer, "One", "Two")
    await viewer.accepted("withdraw", submission=one)
    entry = {"submission": two, "text": "Two", "delivery": "queue", "author": "dev"}
    await viewer.status_is(state="idle", held=True, queue=[entry])
    await viewer.accepted("withdraw", submission=two)
    await viewer.status_is(state="idle", held=False, queue=[])
    assert (await viewer.refused("resume"))["code"] == "nothing_held"


async def test_with_nothing_held_there_is_nothing_to_resume(story: Story) -> None:
    _, viewer = await story.begin()
    assert (await viewer.refused("resume"))["code"] == "nothing_held"
    gate = await busy(story, viewer)
    await viewer.say("Queued, not held")
    assert (await viewer.refused("resume"))["code"] == "nothing_held"
    gate.set()
    await viewer.until("turn_ended")
    await viewer.until("turn_ended")


async def test_an_interrupt_may_drop_the_queue(story: Story) -> None:
    _, viewer = await story.begin()
    await busy(story, viewer)
    dropped = [(await viewer.say(text))["id"] for text in ("One", "Two")]
    await viewer.accepted("interrupt", queue="drop")
    await viewer.until("turn_ended", status="interrupted")
    await viewer.status_is(state="idle", held=False, queue=[])
    assert [event["submission"] for event in viewer.of("input_withdrawn")] == dropped
    assert {event["by"] for event in viewer.of("input_withdrawn")} == {"dev"}


async def test_an_interrupt_may_go_on_with_the_queue(story: Story) -> None:
    _, viewer = await story.begin()
    await busy(story, viewer)
    name = (await viewer.say("Next"))["id"]
    await viewer.accepted("interrupt", queue="continue")
    ended = await viewer.until("turn_ended", status="interrupted")
    message = await viewer.until("user_message", submission=name)
    assert message["seq"] == ended["seq"] + 1
    await viewer.until("turn_ended", status="completed")


async def test_a_failed_turn_holds_the_queue(story: Story) -> None:
    _, viewer = await story.begin()
    gate = Gate()
    story.model.play(Reply(status=401, body={"error": {"message": "no"}}, hold={"start": gate}))
    await viewer.say("Go")
    await story.model.request_arrived()
    name = (await viewer.say("Next"))["id"]
    gate.set()
    await viewer.until("turn_ended", status="failed")
    await viewer.status_is(state="idle", held=True)
    await viewer.accepted("resume")
    await viewer.until("user_message", submission=name)
    await viewer.until("turn_ended", status="completed")


async def test_a_superseded_turn_holds_nothing(story: Story) -> None:
    _, viewer = await story.begin()
    story.model.play(calls(bash("please-ask")))
    await viewer.say("Go")
    await viewer.until("approval_required")
    steer = await viewer.say("Steered", delivery="steer")
    new = await viewer.say("New")
    await viewer.until("turn_ended", reason="superseded")
    begun = {new["id"], steer["id"]}
    while begun:
        begun.discard((await viewer.until("user_message"))["submission"])
    await viewer.until("turn_ended", status="completed")
    await viewer.status_is(state="idle", held=False, queue=[])


@pytest.mark.parametrize("fields", [{"delivery": "now"}, {"delivery": None}, {"text": 7}])
async def test_an_input_has_a_shape(story: Story, fields: dict[str, object]) -> None:
    _, viewer = await story.begin()
    assert (await viewer.refused("user_input", **{"text": "x", **fields}))["code"] == "malformed"
