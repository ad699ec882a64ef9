"""The last turn can be taken back, or tried again."""

from tests.client import Viewer
from tests.model_server import CallScript, Gate, Reply
from tests.stories.scene import Story, bash, calls, named, shown, told


async def text_of(story: Story, session: str, path: str) -> tuple[int, str]:
    answer = await story.api.get(f"/api/sessions/{session}/files/{path}")
    return answer.status, answer.body.decode()


def write(path: str, content: str) -> Reply:
    return calls(CallScript("write", {"path": path, "content": content}))


async def running(story: Story, viewer: Viewer) -> Gate:
    gate = Gate()
    story.model.play(Reply(text="Working on it.", hold={1: gate}))
    await viewer.say("Go")
    await viewer.shows("Working ")
    return gate


async def test_an_undone_turn_no_longer_counts(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "First", Reply(text="One."))
    second = await story.turn(viewer, "Second", Reply(text="Two."))
    answer = await viewer.ask({"type": "undo", "id": "undo-1"})
    undone = await viewer.until("turn_undone")
    assert answer == {"type": "accepted", "id": "undo-1", "seq": undone["seq"]}
    assert named(undone, "seq") == {
        "type": "turn_undone",
        "turn": second["turn"],
        "submission": "undo-1",
    }
    await story.turn(viewer, "Third")
    said = shown(story.model.requests[2])
    assert "First" in said
    assert "One." in said
    assert "Second" not in said
    assert "Two." not in said


async def test_undo_goes_back_turn_by_turn_until_nothing_is_left(story: Story) -> None:
    _, viewer = await story.begin()
    first = await story.turn(viewer, "First")
    second = await story.turn(viewer, "Second")
    await viewer.accepted("undo")
    await viewer.accepted("undo")
    assert (await viewer.refused("undo"))["code"] == "nothing_to_undo"
    assert (await viewer.until("turn_undone"))["turn"] == second["turn"]
    assert (await viewer.until("turn_undone"))["turn"] == first["turn"]


async def test_in_a_new_session_nothing_can_be_undone_or_tried_again(story: Story) -> None:
    _, viewer = await story.begin()
    assert (await viewer.refused("undo"))["code"] == "nothing_to_undo"
    assert (await viewer.refused("retry"))["code"] == "nothing_to_undo"
    assert viewer.kinds() == ["session_created"]


async def test_a_running_turn_is_busy(story: Story) -> None:
    _, viewer = await story.begin()
    gate = await running(story, viewer)
    for kind in ("undo", "retry", "compact"):
        assert (await viewer.refused(kind))["code"] == "busy"
    gate.set()
    await viewer.until("turn_ended")


async def test_an_asking_turn_is_busy(story: Story) -> None:
    _, viewer = await story.begin()
    story.model.play(calls(bash("please-ask")))
    await viewer.say("Go")
    await viewer.until("approval_required")
    for kind in ("undo", "retry", "compact"):
        assert (await viewer.refused(kind))["code"] == "busy"
    await viewer.accepted("interrupt")


async def test_the_workspace_goes_back_to_before_the_undone_turn(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "One", write("a.txt", "one\n"), Reply(text="Done."))
    command = bash("echo two > a.txt; echo new > b.txt; mkdir -p d; echo deep > d/c.txt")
    await story.turn(viewer, "Two", calls(command), Reply(text="Done."))
    assert await text_of(story, session, "d/c.txt") == (200, "deep\n")
    await viewer.accepted("undo")
    assert await text_of(story, session, "a.txt") == (200, "one\n")
    assert (await text_of(story, session, "b.txt"))[0] == 404
    assert (await text_of(story, session, "d/c.txt"))[0] == 404
    await viewer.accepted("undo")
    assert (await text_of(story, session, "a.txt"))[0] == 404
    await story.turn(viewer, "Look", calls(bash("ls -A; echo end")), Reply(text="Empty."))
    assert viewer.of("tool_output")[-1]["output"].startswith("end")


async def test_a_stopped_turn_can_be_undone_with_what_it_wrote(story: Story) -> None:
    session, viewer = await story.begin()
    story.model.play(calls(bash("echo half > a.txt; echo up; sleep 1000")))
    await viewer.say("Go")
    await viewer.shows("up", "log")
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended", status="interrupted")
    assert (await text_of(story, session, "a.txt"))[0] == 200
    await viewer.accepted("undo")
    assert (await text_of(story, session, "a.txt"))[0] == 404


async def test_a_retry_is_one_commit(story: Story) -> None:
    session, viewer = await story.begin()
    await story.put(session, "data.csv", b"a\n")
    fields = {"text": "Read it", "attachments": ["data.csv"]}
    await viewer.accepted("user_input", **fields)
    first = await viewer.until("turn_ended")
    story.model.play(Reply(text="Better."))
    answer = await viewer.ask({"type": "retry", "id": "again-1"})
    undone = await viewer.until("turn_undone")
    assert answer == {"type": "accepted", "id": "again-1", "seq": undone["seq"]}
    message, started = [await viewer.until(kind) for kind in ("user_message", "turn_started")]
    assert [message["seq"], started["seq"]] == [undone["seq"] + 1, undone["seq"] + 2]
    turn = started["turn"]
    assert named(undone, "seq") == {
        "type": "turn_undone",
        "turn": first["turn"],
        "submission": "again-1",
    }
    assert named(message, "seq") == {
        "type": "user_message",
        "turn": turn,
        "submission": "again-1",
        "text": "Read it",
        "author": "dev",
        "attachments": ["data.csv"],
    }
    assert named(started, "seq", "model") == {
        "type": "turn_started",
        "turn": turn,
        "submission": "again-1",
    }
    assert undone["at"] == message["at"] == started["at"]
    await viewer.until("turn_ended", turn=turn, status="completed")
    assert "All right" not in shown(story.model.requests[1])


async def test_a_retry_says_the_first_message_again_and_not_the_steered(story: Story) -> None:
    _, viewer = await story.begin()
    gate = await running(story, viewer)
    await viewer.say("Steered", delivery="steer")
    gate.set()
    await viewer.until("turn_ended")
    await viewer.accepted("retry")
    await viewer.until("turn_undone")
    await viewer.until("turn_ended", status="completed")
    assert [message["text"] for message in viewer.of("user_message")] == ["Go", "Steered", "Go"]
    assert "Steered" not in shown(story.model.requests[-1])


async def test_a_failed_turn_can_be_tried_again(story: Story) -> None:
    _, viewer = await story.begin()
    failed = await story.turn(viewer, "Go", Reply(status=401, body={"error": {"message": "no"}}))
    assert failed["status"] == "failed"
    await viewer.accepted("retry")
    await viewer.until("turn_undone", turn=failed["turn"])
    await viewer.until("turn_ended", status="completed")


async def test_a_retry_restores_the_workspace(story: Story) -> None:
    session, viewer = await story.begin()
    count = calls(bash("echo x >> log.txt; cat log.txt"))
    await story.turn(viewer, "Count", count, Reply(text="One."))
    story.model.play(count, Reply(text="One again."))
    await viewer.accepted("retry")
    await viewer.until("turn_undone")
    await viewer.until("turn_ended", status="completed")
    assert await text_of(story, session, "log.txt") == (200, "x\n")


async def test_every_viewer_sees_the_undoing(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "First")
    other = await story.join(session)
    await viewer.accepted("undo")
    await other.until("turn_undone")
    kinds = ["user_message", "turn_started", "assistant_message", "turn_ended", "turn_undone"]
    assert told(other.events)[1:] == kinds
