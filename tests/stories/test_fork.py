"""A session can be branched off at the end of any turn."""

from tests.model_server import CallScript, Gate, Reply
from tests.oracle import Frame
from tests.stories.scene import Story, bash, calls, named, shown, wrong_body


async def fork(story: Story, session: str, **body: object) -> Frame:
    answer = await story.api.call("POST", f"/api/sessions/{session}/fork", body)
    assert answer.status == 201, answer
    made: Frame = answer.json
    return made


async def test_a_fork_is_an_exact_prefix(story: Story) -> None:
    session, viewer = await story.begin(title="The trunk")
    first = await story.turn(viewer, "One", calls(bash("echo hi")), Reply(text="First."))
    await story.turn(viewer, "Two", Reply(text="Second."))
    row = await fork(story, session, after_turn=first["turn"])
    events = await story.api.events(row["id"])
    created = events[0]
    assert named(created) == {
        "type": "session_created",
        "seq": 1,
        "model": row["model"],
        "title": created["title"],
        "forked_from": {"session": session, "turn": first["turn"]},
    }
    assert events[1:] == viewer.events[1 : first["seq"]]
    assert row["head"] == first["seq"]
    assert row["id"] != session
    assert row["state"] == "idle"
    assert row["owner"] == "dev"


async def test_a_fork_goes_on_by_itself(story: Story) -> None:
    session, viewer = await story.begin()
    first = await story.turn(viewer, "Say one", Reply(text="First."))
    await story.turn(viewer, "Say two", Reply(text="Second."))
    row = await fork(story, session, after_turn=first["turn"])
    branch = await story.join(row["id"])
    await story.turn(branch, "Say three", Reply(text="Third."))
    said = shown(story.model.requests[-1])
    assert "Say one" in said
    assert "First." in said
    assert "Say two" not in said
    assert "Say three" not in str(viewer.events)
    await branch.accepted("undo")
    await branch.accepted("undo")
    assert (await branch.refused("undo"))["code"] == "nothing_to_undo"


async def test_without_a_turn_it_is_up_to_the_last_ended_turn(story: Story) -> None:
    session, viewer = await story.begin()
    last = await story.turn(viewer, "One")
    story.model.play(Reply(text="Working on it.", hold={1: Gate()}))
    await viewer.say("Two")
    await viewer.shows("Working ")
    row = await fork(story, session)
    assert row["head"] == last["seq"]
    events = await story.api.events(row["id"])
    assert events[0]["forked_from"] == {"session": session, "turn": last["turn"]}
    assert events[-1] == last
    await viewer.accepted("interrupt")


async def test_receipts_are_copied(story: Story) -> None:
    session, viewer = await story.begin()
    frame = {"type": "user_input", "id": "mine-1", "text": "One"}
    accepted = await viewer.ask(frame)
    first = await viewer.until("turn_ended")
    later = {"type": "user_input", "id": "mine-2", "text": "Two"}
    await viewer.ask(later)
    await viewer.until("turn_ended")
    branch = await story.join((await fork(story, session, after_turn=first["turn"]))["id"])
    assert await branch.ask(frame) == {**accepted, "duplicate": True}
    assert "duplicate" not in await branch.ask(later)
    await branch.until("turn_ended")
    await branch.until("turn_ended")


async def test_what_the_prefix_leaves_queued_is_withdrawn(story: Story) -> None:
    session, viewer = await story.begin()
    gate = Gate()
    story.model.play(Reply(text="Working on it.", hold={1: gate}))
    await viewer.say("One")
    await viewer.shows("Working ")
    queued = (await viewer.say("Two"))["id"]
    gate.set()
    first = await viewer.until("turn_ended")
    await viewer.until("turn_ended")
    row = await fork(story, session, after_turn=first["turn"])
    events = await story.api.events(row["id"])
    assert events[1 : first["seq"]] == viewer.events[1 : first["seq"]]
    (withdrawn,) = events[first["seq"] :]
    assert named(withdrawn) == {
        "type": "input_withdrawn",
        "seq": first["seq"] + 1,
        "submission": queued,
        "by": withdrawn["by"],
    }
    assert withdrawn["by"] in ("dev", "mooring")
    assert (row["state"], row["queue"]) == ("idle", 0)


async def test_an_unknown_or_open_turn_is_no_place_to_fork(story: Story) -> None:
    session, viewer = await story.begin()
    path = f"/api/sessions/{session}/fork"
    empty = await story.api.call("POST", path, {})
    assert (empty.status, empty.code) == (409, "no_such_turn")
    await story.turn(viewer, "One")
    unknown = await story.api.call("POST", path, {"after_turn": "t-nobody"})
    assert (unknown.status, unknown.code) == (409, "no_such_turn")
    story.model.play(Reply(text="Working on it.", hold={1: Gate()}))
    await viewer.say("Two")
    running = await viewer.until("turn_started")
    opened = await story.api.call("POST", path, {"after_turn": running["turn"]})
    assert (opened.status, opened.code) == (409, "no_such_turn")
    await viewer.shows("Working ")
    await viewer.accepted("interrupt")


async def test_a_fork_of_the_last_turn_has_the_workspace_as_it_was(story: Story) -> None:
    session, viewer = await story.begin()
    write = CallScript("write", {"path": "a.txt", "content": "one\n"})
    await story.turn(viewer, "Write", calls(write), Reply(text="Done."))
    row = await fork(story, session)
    path = f"/api/sessions/{row['id']}/files/a.txt"
    assert (await story.api.get(path)).body == b"one\n"
    # From here on each has its own.
    branch = await story.join(row["id"])
    await story.turn(branch, "Change", calls(bash("echo two > a.txt")), Reply(text="Done."))
    assert (await story.api.get(path)).body == b"two\n"
    assert (await story.api.get(f"/api/sessions/{session}/files/a.txt")).body == b"one\n"
    await branch.accepted("undo")
    assert (await story.api.get(path)).body == b"one\n"


async def test_a_fork_of_an_earlier_turn_has_its_files_or_says_that_it_has_not(
    story: Story,
) -> None:
    session, viewer = await story.begin()
    first = await story.turn(viewer, "One", calls(bash("echo one > a.txt")), Reply(text="Done."))
    await story.turn(viewer, "Two", calls(bash("echo two > a.txt")), Reply(text="Done."))
    row = await fork(story, session, after_turn=first["turn"])
    content = (await story.api.get(f"/api/sessions/{row['id']}/files/a.txt")).body
    events = await story.api.events(row["id"])
    notices = [event for event in events[first["seq"] :] if event["type"] == "notice"]
    assert content == (b"two\n" if notices else b"one\n")


async def test_a_parked_or_ended_session_can_be_forked(story: Story) -> None:
    session, viewer = await story.begin()
    first = await story.turn(viewer, "One")
    story.model.play(calls(bash("please-ask")))
    await viewer.say("Two")
    await viewer.until("approval_required")
    row = await fork(story, session)
    assert (row["state"], row["head"], row["pending_approvals"]) == ("idle", first["seq"], 0)
    await viewer.tell({"type": "shutdown", "id": "end-1"})
    await viewer.closed()
    row = await fork(story, session, after_turn=first["turn"])
    assert (row["state"], row["head"]) == ("idle", first["seq"])


async def test_a_fork_takes_only_a_turn(story: Story) -> None:
    session, viewer = await story.begin()
    await story.turn(viewer, "One")
    bodies: list[object] = [{"after_turn": 7}, {"colour": "red"}, [], "one"]
    for body in bodies:
        answer = await story.api.call("POST", f"/api/sessions/{session}/fork", body)
        assert wrong_body(answer), body
