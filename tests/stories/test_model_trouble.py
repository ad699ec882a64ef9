"""A model that refuses, stalls, breaks off or talks nonsense: a clear end, and life goes on."""

import pytest

from tests.model_server import CallScript, Gate, Reply, Wire, chunk
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls, named, shown, spoken, told


def error(message: str, **more: object) -> Frame:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


async def test_a_passing_failure_is_retried_and_announced(story: Story) -> None:
    _, viewer = await story.begin()
    broken = Reply(status=503, body=error("overloaded"))
    ended = await story.turn(viewer, "Go", broken, broken, Reply(text="Here I am."))
    assert ended["status"] == "completed"
    first, second = viewer.of("retrying")
    assert named(first, "seq", "error") == {
        "type": "retrying",
        "turn": ended["turn"],
        "attempt": 1,
        "of": 3,
        "wait_seconds": 0.02,
    }
    assert first["error"].keys() >= {"code", "message"}
    assert (second["attempt"], second["of"], second["wait_seconds"]) == (2, 3, 0.04)
    assert viewer.of("assistant_message")[0]["text"] == "Here I am."


async def test_a_failure_that_does_not_pass_ends_the_turn(story: Story) -> None:
    _, viewer = await story.begin()
    broken = Reply(status=500, body=error("broken"))
    ended = await story.turn(viewer, "Go", broken, broken, broken)
    assert ended["status"] == "failed"
    assert ended["error"].keys() >= {"code", "message", "retryable"}
    assert ended["error"]["retryable"] is True
    assert len(viewer.of("retrying")) == 2
    assert told(viewer.events)[-1] == "turn_ended"
    assert (await story.turn(viewer, "Again"))["status"] == "completed"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_what_a_retry_cannot_mend_is_not_retried(story: Story, status: int) -> None:
    _, viewer = await story.begin()
    ended = await story.turn(viewer, "Go", Reply(status=status, body=error("no such luck")))
    assert ended["status"] == "failed"
    assert ended["error"]["retryable"] is False
    assert ended["error"]["code"]
    assert viewer.of("retrying") == []
    assert len(story.model.requests) == 1
    assert (await story.turn(viewer, "Again"))["status"] == "completed"


async def test_a_rate_limit_waits_as_long_as_it_is_told_to(story: Story) -> None:
    _, viewer = await story.begin()
    limited = Reply(status=429, headers={"Retry-After": "1"}, body=error("slow down"))
    ended = await story.turn(viewer, "Go", limited, Reply(text="Now."))
    (retrying,) = viewer.of("retrying")
    assert retrying["wait_seconds"] == 1
    assert retrying["error"]["code"] == "rate_limited"
    assert ended["status"] == "completed"


async def test_a_rate_limit_without_a_time_waits_as_configured(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Go", Reply(status=429, body=error("slow down")), Reply(text="Now."))
    assert [event["wait_seconds"] for event in viewer.of("retrying")] == [0.02]


async def test_a_connection_that_hangs_up_is_retried(story: Story) -> None:
    _, viewer = await story.begin()
    ended = await story.turn(viewer, "Go", Reply(hang_up=True), Reply(text="Here."))
    assert ended["status"] == "completed"
    assert len(viewer.of("retrying")) == 1


async def test_a_stream_cut_before_a_word_was_shown_is_retried(story: Story) -> None:
    _, viewer = await story.begin()
    ended = await story.turn(viewer, "Go", Reply(text="Never", cut_after=0), Reply(text="Here."))
    assert ended["status"] == "completed"
    assert [message["text"] for message in viewer.of("assistant_message")] == ["Here."]


async def test_a_stream_cut_after_words_were_shown_keeps_them_and_fails(story: Story) -> None:
    _, viewer = await story.begin()
    gate = Gate()
    story.model.play(Reply(text="Once upon a time", hold={1: gate}, cut_after=2))
    await viewer.say("Go")
    await viewer.shows("Once upo")
    gate.set()
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "failed"
    assert ended["error"]["retryable"] is True
    message = viewer.of("assistant_message")[0]
    assert message["partial"] is True
    assert message["text"].startswith("Once upo")
    assert viewer.of("retrying") == []
    await viewer.accepted("retry")
    await viewer.until("turn_undone")
    await viewer.until("turn_ended", status="completed")


GARBAGE: dict[str, Reply] = {
    "a page of HTML": Reply(status=200, raw=[b"<html>busy</html>\n\n"], tail=False),
    "no JSON": Reply(raw=[b"data: {not json\n\n"]),
    "JSON of another kind": Reply(raw=[b"data: [1, 2]\n\n", b"data: 7\n\n"]),
    "an error in the stream": Reply(raw=[{"error": {"message": "boom", "code": 500}}], tail=False),
    "nothing at all": Reply(raw=[], tail=False, wire=Wire(done=False)),
    "a broken status page": Reply(status=502, body=b"<html>Bad gateway</html>"),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_is_a_failure_with_a_code_and_the_session_goes_on(
    story: Story, name: str
) -> None:
    _, viewer = await story.begin()
    story.model.answer = lambda seen: GARBAGE[name] if seen.body.get("tools") else None
    ended = await story.turn(viewer, "Go")
    assert ended["status"] == "failed"
    assert ended["error"]["code"]
    assert ended["error"]["message"]
    assert "Traceback" not in ended["error"]["message"]
    story.model.answer = lambda seen: None
    assert (await story.turn(viewer, "Again"))["status"] == "completed"


async def test_strange_but_common_streams_are_understood(story: Story) -> None:
    _, viewer = await story.begin()
    odd = [
        chunk({"role": "assistant", "content": None}),
        {**chunk({}), "choices": []},
        chunk(None),
        chunk({"content": ""}),
        chunk({"content": "Fine", "tool_calls": None}),
        chunk({"content": "."}, "stop"),
    ]
    wire = Wire(line_end="\r\n", comments=True, packet=7)
    ended = await story.turn(viewer, "Go", Reply(raw=odd, usage=None, tail=False, wire=wire))
    assert ended["status"] == "completed"
    assert viewer.of("assistant_message")[0]["text"] == "Fine."


async def test_a_reply_cut_off_by_its_length_keeps_its_text_and_drops_its_calls(
    story: Story,
) -> None:
    _, viewer = await story.begin()
    cut = Reply(text="Then I", calls=[bash("touch made")], finish_reason="length")
    ended = await story.turn(viewer, "Go", cut, Reply(text="In short: done."))
    assert ended["status"] == "completed"
    first, second = viewer.of("assistant_message")
    assert (first["text"], first.get("partial")) == ("Then I", True)
    assert second["text"] == "In short: done."
    assert viewer.of("tool_call") == []
    notice = viewer.of("notice")[0]
    assert notice["turn"] == ended["turn"]
    assert spoken(notice["text"]) in shown(story.model.requests[1])


async def test_the_same_broken_call_twice_brings_a_note_to_change_strategy(story: Story) -> None:
    _, viewer = await story.begin()
    broken = calls(CallScript("bash", '{"command": "ec'))
    await story.turn(viewer, "Go", broken, broken, Reply(text="I give up."))
    assert [output["status"] for output in viewer.of("tool_output")] == ["error", "error"]
    assert len(viewer.of("notice")) >= 1


async def test_an_unreachable_model_fails_the_turn_and_not_the_session(alone: NewStory) -> None:
    story = await alone(arguments=["--api-base", "http://127.0.0.1:9/v1"])
    _, viewer = await story.begin()
    await viewer.say("Hello?")
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "failed"
    assert ended["error"]["code"] == "unreachable"
    assert ended["error"]["retryable"] is True
    await viewer.status_is(state="idle")


async def test_a_model_that_says_nothing_for_too_long_is_given_up(alone: NewStory) -> None:
    retry = {"transient_seconds": [0.02], "rate_limit_seconds": [0.02], "timeout_seconds": 1}
    story = await alone({"retry": retry})
    _, viewer = await story.begin()
    story.model.answer = lambda seen: Reply(text="Never", hold={"start": Gate()})
    await viewer.say("Hello?")
    ended = await viewer.until("turn_ended")
    assert (ended["status"], ended["error"]["code"]) == ("failed", "timed_out")
    assert [event["of"] for event in viewer.of("retrying")] == [2]


async def test_a_secret_of_the_environment_reaches_the_model_and_no_log(alone: NewStory) -> None:
    story = await alone(environment={"OPENAI_API_KEY": "sk-story-secret"})
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello", calls(bash("env")), Reply(status=401, body=error("no")))
    assert story.model.requests[0].headers["authorization"] == "Bearer sk-story-secret"
    assert "sk-story-secret" not in story.server.stderr
    assert "sk-story-secret" not in str(viewer.frames)


async def test_half_a_surrogate_from_the_model_harms_nobody(story: Story) -> None:
    _, viewer = await story.begin()
    event = b'data: {"choices": [{"index": 0, "delta": {"content": "a\\ud800b"}}]}\n\n'
    story.model.answer = lambda seen: Reply(raw=[event]) if seen.body.get("tools") else None
    ended = await story.turn(viewer, "Go")
    assert ended["status"] in ("completed", "failed")
    story.model.answer = lambda seen: None
    assert (await story.turn(viewer, "Again"))["status"] == "completed"
