"""Every submission takes effect once, however often the network makes the client send it."""

import asyncio
from typing import Any

import pytest

from tests.model_server import Gate, Reply
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls

HELLO: Frame = {"type": "user_input", "id": "once-1", "text": "Hello"}


async def test_a_repeat_gets_the_same_answer_and_has_no_second_effect(story: Story) -> None:
    _, viewer = await story.begin()
    first = await viewer.ask(HELLO)
    assert first == {"type": "accepted", "id": "once-1", "seq": 2}
    await viewer.until("turn_ended")
    again = await viewer.ask(HELLO)
    assert again == {"type": "accepted", "id": "once-1", "seq": 2, "duplicate": True}
    assert len(viewer.of("user_message")) == 1
    assert viewer.kinds()[-1] == "turn_ended"


async def test_a_repeat_over_another_socket_or_over_http_is_the_same(story: Story) -> None:
    session, viewer = await story.begin()
    await viewer.ask(HELLO)
    await viewer.until("turn_ended")
    other = await story.join(session)
    duplicate = {"type": "accepted", "id": "once-1", "seq": 2, "duplicate": True}
    assert await other.ask(HELLO) == duplicate
    answer = await story.api.submit(session, HELLO)
    assert (answer.status, answer.json) == (200, duplicate)
    assert len(await story.api.events(session)) == viewer.log.last


async def test_what_http_was_told_is_known_to_the_socket(story: Story) -> None:
    session, viewer = await story.begin()
    answer = await story.api.submit(session, HELLO)
    assert answer.json == {"type": "accepted", "id": "once-1", "seq": 2}
    assert (await viewer.ask(HELLO))["duplicate"] is True
    await viewer.until("turn_ended")


async def test_of_many_at_once_one_has_the_effect(story: Story) -> None:
    session, viewer = await story.begin()
    others = [await story.join(session) for _ in range(5)]
    futures = [(other, await other.send(HELLO)) for other in others]
    posted = asyncio.gather(*(story.api.submit(session, HELLO) for _ in range(5)))
    answers = [await other.answer(future) for other, future in futures]
    answers += [answer.json for answer in await posted]
    assert {answer["type"] for answer in answers} == {"accepted"}
    assert {answer["seq"] for answer in answers} == {2}
    assert sum("duplicate" not in answer for answer in answers) == 1
    await viewer.until("turn_ended")
    assert len(viewer.of("user_message")) == 1


SAME: list[tuple[Frame, Frame]] = [
    (HELLO, {**HELLO, "delivery": "queue"}),
    (HELLO, {**HELLO, "attachments": []}),
    (HELLO, {"text": "Hello", "id": "once-1", "type": "user_input"}),
    (
        {"type": "set_auto_approval", "id": "once-1", "enabled": True, "cost_cap_usd": 5},
        {"type": "set_auto_approval", "id": "once-1", "enabled": True, "cost_cap_usd": 5.0},
    ),
]


@pytest.mark.parametrize(("first", "second"), SAME)
async def test_equal_content_is_a_repeat_after_defaults_are_filled_in(
    story: Story, first: Frame, second: Frame
) -> None:
    _, viewer = await story.begin()
    accepted = await viewer.ask(first)
    assert await viewer.ask(second) == {**accepted, "duplicate": True}
    await viewer.accepted("set_auto_approval", enabled=False)


OTHER: list[Frame] = [
    {**HELLO, "text": "Hello!"},
    {**HELLO, "delivery": "steer"},
    {"type": "set_auto_approval", "id": "once-1", "enabled": True},
    {"type": "undo", "id": "once-1"},
    {"type": "interrupt", "id": "once-1"},
]


@pytest.mark.parametrize("other", OTHER)
async def test_the_same_id_for_another_thing_is_a_conflict(story: Story, other: Frame) -> None:
    session, viewer = await story.begin()
    await viewer.ask(HELLO)
    await viewer.until("turn_ended")
    refused = await viewer.ask(other)
    assert named_answer(refused) == ("refused", "once-1", "id_conflict")
    answer = await story.api.submit(session, other)
    assert (answer.status, answer.json["code"]) == (409, "id_conflict")
    assert viewer.kinds()[-1] == "turn_ended"


def named_answer(answer: Frame) -> tuple[str, str, str]:
    return answer["type"], answer["id"], answer["code"]


async def test_what_was_refused_is_not_remembered(story: Story) -> None:
    _, viewer = await story.begin()
    refused = await viewer.ask({"type": "undo", "id": "free-1"})
    assert named_answer(refused) == ("refused", "free-1", "nothing_to_undo")
    accepted = await viewer.ask({**HELLO, "id": "free-1"})
    assert (accepted["type"], "duplicate" in accepted) == ("accepted", False)
    await viewer.until("turn_ended")


async def test_a_ping_leaves_no_receipt(story: Story) -> None:
    _, viewer = await story.begin()
    for _ in range(2):
        assert (await viewer.ask({"type": "ping", "id": "once-1"}))["type"] == "pong"
    assert (await viewer.ask(HELLO))["type"] == "accepted"
    assert (await viewer.ask({"type": "ping", "id": "once-1"}))["type"] == "pong"
    await viewer.until("turn_ended")


async def test_the_answer_names_the_first_event_it_caused(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "One")
    caused = [
        await viewer.accepted("undo"),
        await viewer.accepted("set_auto_approval", enabled=0 > 1),
    ]
    stored = await story.api.events(session)
    assert [stored[answer["seq"] - 1]["type"] for answer in caused] == [
        "turn_undone",
        "session_updated",
    ]


async def test_each_kind_of_submission_is_remembered(story: Story) -> None:
    session, viewer = await story.begin()
    story.model.play(Reply(text="Working on it.", hold={1: Gate()}))
    done: list[Frame] = []

    async def do(frame: Frame) -> None:
        answer = await viewer.ask({**frame, "id": f"each-{len(done)}"})
        assert answer["type"] == "accepted", answer
        done.append({**frame, "id": answer["id"]})

    await do({"type": "user_input", "text": "Go"})
    await viewer.shows("Working ")
    await do({"type": "user_input", "text": "Queued"})
    await do({"type": "withdraw", "submission": "each-1"})
    await do({"type": "interrupt"})
    await do({"type": "retry"})
    await viewer.until("turn_undone")
    await viewer.until("turn_ended", status="completed")
    await do({"type": "undo"})
    await do({"type": "set_model", "model": "openai/test-model"})
    story.model.play(calls(bash("please-ask")), Reply(text="All right."))
    await do({"type": "user_input", "text": "Ask me"})
    call = (await viewer.until("approval_required"))["calls"][0]["call"]
    await do({"type": "approval", "decisions": [{"call": call, "decision": "approve"}]})
    await viewer.until("turn_ended", status="completed")
    head = len(await story.api.events(session))
    for frame in done:
        assert (await viewer.ask(frame)).get("duplicate") is True, frame
    assert len(await story.api.events(session)) == head


async def test_in_an_ended_session_repeats_are_answered_and_the_rest_refused(story: Story) -> None:
    session, viewer = await story.begin()
    accepted = await viewer.ask(HELLO)
    await viewer.until("turn_ended")
    end = {"type": "shutdown", "id": "end-1"}
    await viewer.tell(end)
    await viewer.closed()
    late = await story.join(session)
    assert await late.ask(HELLO) == {**accepted, "duplicate": True}
    assert (await late.ask(end))["duplicate"] is True
    assert named_answer(await late.ask({**HELLO, "text": "Other"}))[2] == "id_conflict"
    assert named_answer(await late.ask({**HELLO, "id": "new-1"}))[2] == "session_ended"
    assert (await late.ask({"type": "ping", "id": "p"}))["type"] == "pong"


async def test_receipts_outlive_the_server(alone: NewStory) -> None:
    story = await alone()
    session, viewer = await story.begin()
    accepted = await viewer.ask(HELLO)
    await viewer.until("turn_ended")
    await story.restart()
    back = await story.join(session, log=viewer.log)
    assert await back.ask(HELLO) == {**accepted, "duplicate": True}
    assert len(back.of("user_message")) == 1
    assert len(story.model.requests) == 1


async def test_a_client_that_never_got_its_answer_may_send_again_after_a_crash(
    alone: NewStory,
) -> None:
    story = await alone()
    session, viewer = await story.begin()
    frames: list[Any] = [{**HELLO, "id": f"burst-{number}"} for number in range(15)]
    for frame in frames:
        await viewer.tell(frame)
    await viewer.until("user_message")
    await story.restart()
    back = await story.join(session, log=viewer.log)
    for frame in frames:
        assert (await back.ask(frame))["type"] == "accepted"
    if back.status["held"]:
        await back.accepted("resume")
    done = await back.wait(
        lambda: True if len(back.of("user_message")) == len(frames) else None, "all messages"
    )
    assert done
    begun = [message["submission"] for message in back.of("user_message")]
    assert sorted(begun) == sorted(frame["id"] for frame in frames)
    await back.status_is(state="idle")
