"""A long conversation is summarised, by hand or before it no longer fits."""

from tests.client import Viewer, new_id
from tests.model_server import Gate, Reply, Tokens
from tests.stories.scene import Story, bash, calls, named, shown

SUMMARY = "They counted up to seven."
OVERFLOW = Reply(
    status=400,
    body={
        "error": {
            "message": "This model's maximum context length is 200000 tokens.",
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
        }
    },
)


async def talk(story: Story, viewer: Viewer, turns: int = 7) -> None:
    for number in range(1, turns + 1):
        await story.turn(viewer, f"Count {number}.", Reply(text=f"Counted {number}."))


async def compacting(story: Story, viewer: Viewer) -> tuple[Gate, str]:
    """A compaction under way, and its submission."""
    gate, name = Gate(), new_id()
    story.model.play_plain(Reply(text=SUMMARY, hold={"start": gate}))
    await viewer.tell({"type": "compact", "id": name})
    await story.model.plain_request_arrived()
    await viewer.status_is(activity="compacting")
    return gate, name


async def test_a_compaction_by_hand_is_answered_when_it_is_committed(story: Story) -> None:
    session, viewer = await story.begin()
    await talk(story, viewer)
    story.model.play_plain(Reply(text=SUMMARY, usage=Tokens(prompt=900, completion=30)))
    answer = await viewer.ask({"type": "compact", "id": "short-1"})
    compacted = await viewer.until("compacted")
    assert (await story.api.events(session))[-1]["type"] in ("compacted", "usage")
    assert answer["type"] == "accepted"
    assert answer["seq"] <= compacted["seq"]
    assert named(compacted, "seq", "before_tokens", "after_tokens", "through") == {
        "type": "compacted",
        "summary": SUMMARY,
        "submission": "short-1",
    }
    assert compacted["before_tokens"] > 0
    assert compacted["after_tokens"] > 0
    assert 1 <= compacted["through"] < compacted["seq"]
    usage = viewer.of("usage")[-1]
    assert (usage["purpose"], usage["input_tokens"], usage["output_tokens"]) == (
        "compaction",
        900,
        30,
    )
    assert "tools" not in story.model.plain_requests[0].body


async def test_the_model_is_shown_the_summary_the_first_message_and_the_last(story: Story) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    story.model.play_plain(Reply(text=SUMMARY))
    await viewer.accepted("compact")
    await story.turn(viewer, "What now?")
    said = shown(story.model.requests[-1])
    assert SUMMARY in said
    assert "Count 1." in said
    assert "Count 3." not in said
    assert "Count 7." in said


async def test_a_new_session_has_nothing_to_compact(story: Story) -> None:
    _, viewer = await story.begin()
    assert (await viewer.refused("compact"))["code"] == "nothing_to_compact"
    assert viewer.kinds() == ["session_created"]


async def test_while_it_compacts_undo_retry_and_compact_are_busy(story: Story) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    gate, _ = await compacting(story, viewer)
    for kind in ("undo", "retry", "compact"):
        assert (await viewer.refused(kind))["code"] == "busy"
    gate.set()
    await viewer.until("compacted")


async def test_input_while_it_compacts_begins_in_the_commit_that_ends_it(story: Story) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    gate, compact = await compacting(story, viewer)
    name = (await viewer.say("Hurry"))["id"]
    queued = await viewer.until("input_queued", submission=name)
    gate.set()
    compacted = await viewer.until("compacted", submission=compact)
    message = await viewer.until("user_message", submission=name)
    between = {event["type"] for event in viewer.events[queued["seq"] : message["seq"] - 1]}
    assert between <= {"usage", "compacted"}
    assert compacted["at"] == message["at"]
    await viewer.until("turn_ended", status="completed")


async def test_a_stop_ends_a_compaction(story: Story) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    name = new_id()
    story.model.play_plain(Reply(text=SUMMARY, hold={"start": Gate()}))
    future = await viewer.send({"type": "compact", "id": name})
    await story.model.plain_request_arrived()
    await viewer.accepted("interrupt")
    notice = await viewer.until("notice")
    assert notice["code"] == "compaction_stopped"
    answer = await viewer.answer(future)
    assert (answer["type"], answer["code"]) == ("refused", "unavailable")
    await story.model.client_left()
    assert viewer.of("compacted") == []
    await story.turn(viewer, "Go on")
    assert "Count 3." in shown(story.model.requests[-1])


async def test_a_summary_that_cannot_be_had_refuses_the_compaction(story: Story) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    story.model.play_plain(Reply(status=401, body={"error": {"message": "no"}}))
    refused = await viewer.refused("compact")
    assert refused["code"] == "unavailable"
    assert viewer.of("compacted") == []
    assert (await story.turn(viewer, "Go on"))["status"] == "completed"


async def test_a_summary_counts_only_while_its_turns_count(story: Story) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    story.model.play_plain(Reply(text=SUMMARY))
    await viewer.accepted("compact")
    compacted = await viewer.until("compacted")
    began = [event["seq"] for event in viewer.of("turn_started")]
    summarised = sum(seq <= compacted["through"] for seq in began)
    for _ in range(7 - summarised + 1):
        await viewer.accepted("undo")
    await story.turn(viewer, "Go on")
    said = shown(story.model.requests[-1])
    assert SUMMARY not in said
    for number in range(1, summarised):
        assert f"Counted {number}." in said
    assert f"Counted {summarised}." not in said


async def test_a_context_nearly_full_is_compacted_before_the_next_call(story: Story) -> None:
    _, viewer = await story.begin()
    limit = viewer.status["context"]["limit"]
    await talk(story, viewer)
    story.model.play_plain(Reply(text=SUMMARY))
    full = Reply(text="Nearly full.", usage=Tokens(prompt=int(limit * 0.95), completion=9))
    await story.turn(viewer, "Count 8.", full)
    ended = await story.turn(viewer, "Count 9.", Reply(text="Counted 9."))
    assert ended["status"] == "completed"
    compacted = viewer.of("compacted")
    assert [event["summary"] for event in compacted] == [SUMMARY]
    assert "submission" not in compacted[0]
    said = shown(story.model.requests[-1])
    assert SUMMARY in said
    assert "Count 9." in said
    assert "Count 3." not in said


async def test_a_context_that_overflows_is_compacted_and_asked_again(story: Story) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    story.model.play_plain(Reply(text=SUMMARY))
    ended = await story.turn(viewer, "Count 8.", OVERFLOW, Reply(text="Counted 8."))
    assert ended["status"] == "completed"
    assert len(viewer.of("compacted")) == 1
    assert SUMMARY in shown(story.model.requests[-1])


async def test_an_overflow_that_compaction_cannot_mend_fails_and_can_be_retried(
    story: Story,
) -> None:
    _, viewer = await story.begin()
    await talk(story, viewer)
    story.model.answer = lambda seen: OVERFLOW if seen.body.get("tools") else Reply(text=SUMMARY)
    ended = await story.turn(viewer, "Count 8.")
    assert ended["status"] == "failed"
    assert ended["error"]["code"] == "context_overflow"
    assert ended["error"]["retryable"] is True
    assert ended["error"]["message"]
    story.model.answer = lambda seen: None
    assert (await story.turn(viewer, "Still there?"))["status"] == "completed"


async def test_a_turn_may_be_compacted_in_its_middle(story: Story) -> None:
    _, viewer = await story.begin()
    limit = viewer.status["context"]["limit"]
    steps = [calls(bash(f"echo step-{number}")) for number in range(6)]
    full = Reply(calls=[bash("echo last")], usage=Tokens(prompt=int(limit * 0.95), completion=9))
    story.model.play_plain(Reply(text=SUMMARY))
    ended = await story.turn(viewer, "Work", *steps, full, Reply(text="Done."))
    assert ended["status"] == "completed"
    assert len(viewer.of("compacted")) == 1
    said = shown(story.model.requests[-1])
    assert "Work" in said
    assert SUMMARY in said
    assert "echo last" in said
