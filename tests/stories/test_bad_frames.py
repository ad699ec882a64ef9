"""Whatever a client sends: one refusal that says what is wrong, and the connection lives on."""

import json
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.client import Viewer
from tests.oracle import Frame
from tests.stories.scene import Story

LONGEST = 100_000

UNREADABLE: dict[str, str | bytes] = {
    "no JSON": "hello",
    "half a frame": '{"type": "ping"',
    "an array": "[]",
    "a string": '"ping"',
    "null": "null",
    "a number": "1",
    "nothing": "",
    "no id": '{"type": "ping"}',
    "bytes": b"\x00\xff",
    "JSON as bytes": b'{"type": "ping"}',
    "a null id": '{"type": "ping", "id": null}',
    "a number as id": '{"type": "ping", "id": 7}',
    "NaN": '{"type": NaN}',
    "deep": "[" * 50_000,
}

MALFORMED: list[tuple[Frame, str]] = [
    ({"type": "ping", "id": "b", "colour": "red"}, "colour"),
    ({"type": "teleport", "id": "b"}, "teleport"),
    ({"type": 7, "id": "b"}, "type"),
    ({"id": "b"}, "type"),
    ({"type": "user_input", "id": "b"}, "text"),
    ({"type": "user_input", "id": "b", "text": None}, "text"),
    ({"type": "user_input", "id": "b", "text": "x", "delivery": "now"}, "delivery"),
    ({"type": "user_input", "id": "b", "text": "x", "attachments": "a.txt"}, "attachments"),
    ({"type": "user_input", "id": "b", "text": "x", "author": "root"}, "author"),
    ({"type": "approval", "id": "b"}, "decisions"),
    ({"type": "interrupt", "id": "b", "turn": 7}, "turn"),
    ({"type": "interrupt", "id": "b", "queue": "later"}, "queue"),
    ({"type": "withdraw", "id": "b"}, "submission"),
    ({"type": "set_model", "id": "b"}, "model"),
    ({"type": "set_auto_approval", "id": "b"}, "enabled"),
    ({"type": "set_auto_approval", "id": "b", "enabled": "yes"}, "enabled"),
    ({"type": "set_auto_approval", "id": "b", "enabled": True, "cost_cap_usd": -1}, "cost_cap_usd"),
    ({"type": "hello", "id": "b"}, "hello"),
]


async def unharmed(viewer: Viewer) -> None:
    pong = await viewer.ask({"type": "ping", "id": "still-there"})
    assert pong["type"] == "pong"
    assert viewer.kinds() == ["session_created"]


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_malformed_under_no_id(story: Story, name: str) -> None:
    _, viewer = await story.begin()
    answer = await viewer.answer(await viewer.send(UNREADABLE[name]))
    assert answer == {
        "type": "refused",
        "id": None,
        "code": "malformed",
        "message": answer["message"],
    }
    assert answer["message"]
    await unharmed(viewer)


@pytest.mark.parametrize(("frame", "field"), MALFORMED)
async def test_a_malformed_frame_is_refused_under_its_id_and_the_field_is_named(
    story: Story, frame: Frame, field: str
) -> None:
    session, viewer = await story.begin()
    refused = await viewer.ask(frame)
    assert (refused["type"], refused["id"], refused["code"]) == ("refused", "b", "malformed")
    assert field in refused["message"]
    answer = await story.api.submit(session, frame)
    assert (answer.status, answer.json["code"]) == (422, "malformed")
    assert field in answer.json["message"]
    await unharmed(viewer)


@pytest.mark.parametrize("name", ["", "x" * 65])
async def test_an_id_has_1_to_64_characters(story: Story, name: str) -> None:
    _, viewer = await story.begin()
    frame = json.dumps({"type": "ping", "id": name})
    before = len(viewer.frames)
    await viewer.tell(frame)
    refused = await viewer.wait(
        lambda: viewer.frames[before] if len(viewer.frames) > before else None, "a refusal"
    )
    assert (refused["type"], refused["code"]) == ("refused", "malformed")
    assert refused["id"] in (None, name)


@pytest.mark.parametrize("name", ["x", "x" * 64, "🛟" * 64, "a b/c?d", "0"])
async def test_any_string_of_1_to_64_characters_is_an_id(story: Story, name: str) -> None:
    _, viewer = await story.begin()
    assert (await viewer.ask({"type": "ping", "id": name}))["id"] == name


async def test_a_text_may_have_100_000_characters(story: Story) -> None:
    session, viewer = await story.begin()
    too_long = "🛟" * (LONGEST + 1)
    refused = await viewer.refused("user_input", text=too_long)
    assert refused["code"] == "too_long"
    assert "100" in refused["message"]
    frame = {"type": "user_input", "id": "long-1", "text": too_long}
    answer = await story.api.submit(session, frame)
    assert (answer.status, answer.json["code"]) == (422, "too_long")
    await viewer.say("🛟" * LONGEST, id="long-1")
    await viewer.until("turn_ended", status="completed")
    assert len(viewer.of("user_message")[0]["text"]) == LONGEST


async def test_a_frame_over_1_mib_closes_the_connection(story: Story) -> None:
    session, viewer = await story.begin()
    frame = {"type": "user_input", "id": "big-1", "text": "x" * 2**20}
    await viewer.tell(frame)
    assert await viewer.closed() == 1009
    answer = await story.api.submit(session, frame)
    assert answer.status == 413
    back = await story.join(session, log=viewer.log)
    await unharmed(back)


async def test_a_frame_of_nearly_1_mib_is_read(story: Story) -> None:
    _, viewer = await story.begin()
    padding = "x" * (2**20 - 100)
    refused = await viewer.ask({"type": "user_input", "id": "big-1", "text": padding})
    assert refused["code"] == "too_long"


async def test_after_20_malformed_frames_in_a_minute_the_connection_is_closed(
    story: Story,
) -> None:
    session, viewer = await story.begin()
    other = await story.join(session)
    asked = [await viewer.send("nonsense") for _ in range(19)]  # at once, well within the minute
    for future in asked:
        assert (await viewer.answer(future))["code"] == "malformed"
    await unharmed(viewer)
    with suppress(ConnectionClosed):
        for _ in range(20):
            await viewer.tell("nonsense")
    assert await viewer.closed() == 4400
    assert viewer.bye is not None
    assert viewer.bye["code"] == 4400
    await unharmed(other)


async def test_refusals_of_well_formed_frames_are_not_held_against_anyone(story: Story) -> None:
    _, viewer = await story.begin()
    for _ in range(30):
        assert (await viewer.refused("undo"))["code"] == "nothing_to_undo"
    await unharmed(viewer)


async def test_refusals_go_only_to_who_asked(story: Story) -> None:
    session, viewer = await story.begin()
    other = await story.join(session)
    await viewer.answer(await viewer.send("nonsense"))
    await viewer.refused("undo")
    await viewer.say("Hello")
    await other.until("turn_ended")
    kinds = {frame["type"] for frame in other.frames}
    assert kinds.isdisjoint({"accepted", "refused", "pong"})


async def test_frames_are_answered_in_any_number_at_once(story: Story) -> None:
    _, viewer = await story.begin()
    futures = [await viewer.send({"type": "ping", "id": f"p{n}"}) for n in range(300)]
    answers = [await viewer.answer(future) for future in futures]
    assert [answer["id"] for answer in answers] == [f"p{n}" for n in range(300)]


async def test_an_empty_or_strange_text_is_just_text(story: Story) -> None:
    _, viewer = await story.begin()
    for text in (
        "\u2028\u0000\u202e",
        "<script>alert(1)</script>",
        "{{7*7}} ${HOME}",
        "\ud7ff\uffff",
    ):
        await story.turn(viewer, text)
        assert viewer.of("user_message")[-1]["text"] == text


async def test_a_lone_surrogate_is_malformed_or_kept_but_never_a_crash(story: Story) -> None:
    _, viewer = await story.begin()
    raw = '{"type": "user_input", "id": "s1", "text": "\\ud800"}'
    answer = await viewer.answer(await viewer.send(raw))
    assert answer["type"] in ("refused", "accepted")
    assert (await viewer.ask({"type": "ping", "id": "s2"}))["type"] == "pong"
