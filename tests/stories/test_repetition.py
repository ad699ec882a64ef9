"""A model that goes in circles is told so, and stopped when it does not listen."""

from tests.model_server import Reply
from tests.stories.scene import Story, bash, calls, named, shown, spoken

SAME = calls(bash("echo same"))


async def test_three_times_the_same_brings_a_note(story: Story) -> None:
    _, viewer = await story.begin()
    ended = await story.turn(viewer, "Go", SAME, SAME, SAME, Reply(text="I stop."))
    (notice,) = viewer.of("notice")
    assert named(notice, "seq", "text") == {
        "type": "notice",
        "turn": ended["turn"],
        "code": notice["code"],
    }
    assert ended["status"] == "completed"
    assert spoken(notice["text"]) in shown(story.model.requests[3])
    assert spoken(notice["text"]) not in shown(story.model.requests[2])
    assert [message["text"] for message in viewer.of("user_message")] == ["Go"]


async def test_going_in_a_circle_brings_a_note(story: Story) -> None:
    _, viewer = await story.begin()
    step, other = calls(bash("echo one")), calls(bash("echo two"))
    await story.turn(viewer, "Go", step, other, step, other, Reply(text="I stop."))
    assert len(viewer.of("notice")) == 1


async def test_polling_whose_result_changes_is_no_repetition(story: Story) -> None:
    _, viewer = await story.begin()
    poll = calls(bash("echo x >> n; wc -l < n"))
    await story.turn(viewer, "Wait", *[poll] * 8, Reply(text="Eight."))
    assert viewer.of("notice") == []


async def test_who_does_not_listen_is_stopped(story: Story) -> None:
    _, viewer = await story.begin()
    story.model.answer = lambda seen: SAME if seen.body.get("tools") else None
    ended = await story.turn(viewer, "Go")
    assert (ended["status"], ended["reason"]) == ("limit", "repetition")
    assert 1 <= len(viewer.of("notice")) <= 5
    assert len(story.model.requests) < 30
    story.model.answer = lambda seen: None
    assert (await story.turn(viewer, "Again"))["status"] == "completed"
