"""A turn from the first word to its end, as frames a client author could copy."""

import pytest

from tests.model_server import Gate, Reply, Tokens
from tests.stories.conftest import NewStory
from tests.stories.scene import UNTIL_GO, Story, bash, calls, named, shown

TEXT = "Ahoy! naïve 👩‍🚀 café: 日本語, a 🛟 and \u0000-free."


async def test_a_plain_turn_is_these_events(story: Story) -> None:
    _, viewer = await story.begin()
    story.model.play(Reply(text="Hello there."))
    answer = await viewer.ask({"type": "user_input", "id": "my-1", "text": "Hello"})
    ended = await viewer.until("turn_ended")
    turn = ended["turn"]
    assert answer == {"type": "accepted", "id": "my-1", "seq": 2}
    message, started, *rest = viewer.events[1:]
    assert message == {
        "type": "user_message",
        "seq": 2,
        "at": message["at"],
        "turn": turn,
        "submission": "my-1",
        "text": "Hello",
        "author": "dev",
    }
    assert started == {
        "type": "turn_started",
        "seq": 3,
        "at": started["at"],
        "turn": turn,
        "submission": "my-1",
        "model": viewer.hello["session"]["model"],
    }
    assert sorted(event["type"] for event in rest[:2]) == ["assistant_message", "usage"]
    reply = viewer.of("assistant_message")[0]
    assert named(reply, "seq") == {
        "type": "assistant_message",
        "turn": turn,
        "item": reply["item"],
        "text": "Hello there.",
    }
    usage = viewer.of("usage")[0]
    assert named(usage, "seq") == {
        "type": "usage",
        "turn": turn,
        "model": started["model"],
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_tokens": 0,
        "cost_usd": None,
        "purpose": "main",
    }
    assert named(ended) == {"type": "turn_ended", "seq": 6, "turn": turn, "status": "completed"}


async def test_offsets_count_code_points_and_deltas_add_up_to_the_text(story: Story) -> None:
    _, viewer = await story.begin()
    gate = Gate()
    story.model.play(Reply(text=TEXT, chunk_size=3, hold={4: gate}))
    await viewer.say("Hello")
    await viewer.shows(TEXT[:12])
    gate.set()
    message = await viewer.until("assistant_message")
    assert message["text"] == TEXT
    deltas = [frame for frame in viewer.frames if frame["type"] == "text_delta"]
    assert deltas[0] == {
        "type": "text_delta",
        "turn": message["turn"],
        "item": message["item"],
        "offset": 0,
        "text": deltas[0]["text"],
    }
    assert "".join(delta["text"] for delta in deltas) == TEXT
    assert [d["offset"] for d in deltas[1:]] == [
        len("".join(d["text"] for d in deltas[:number])) for number in range(1, len(deltas))
    ]


async def test_reasoning_streams_beside_the_text_and_is_kept(story: Story) -> None:
    _, viewer = await story.begin()
    gate = Gate()
    story.model.play(Reply(reasoning="Let me think…", text="Done.", hold={1: gate}))
    await viewer.say("Think")
    await viewer.shows("Let me t", "reasoning")
    gate.set()
    message = await viewer.until("assistant_message")
    assert message["reasoning"] == "Let me think…"
    assert message["text"] == "Done."


async def test_a_reply_is_one_commit(story: Story) -> None:
    _, viewer = await story.begin()
    scripts = calls(bash("true"), bash("echo please-ask"), text="Two things.")
    story.model.play(scripts)
    await viewer.say("Go")
    asked = await viewer.until("approval_required")
    reply = [event["type"] for event in viewer.events[3 : asked["seq"]]]
    assert sorted(reply) == sorted(
        ["assistant_message", "usage", "tool_call", "tool_call", "approval_required"]
    )
    assert len({event["at"] for event in viewer.events[3 : asked["seq"]]}) == 1
    await viewer.accepted("interrupt")


async def test_a_reply_of_calls_only_closes_its_item_with_an_empty_text(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "Go", calls(bash("true")), Reply(text="Done."))
    assert [message["text"] for message in viewer.of("assistant_message")] == ["", "Done."]


async def test_without_deltas_only_durable_events_and_status_come(story: Story) -> None:
    session, viewer = await story.begin()
    bot = await story.join(session, deltas="none")
    replies = [calls(bash("echo hi"), text="Well,"), Reply(reasoning="Hm.", text="Done.")]
    await story.turn(viewer, "Go", *replies)
    await bot.until("turn_ended")
    assert bot.events == viewer.events
    assert {frame["type"] for frame in bot.frames} & {
        "text_delta",
        "reasoning_delta",
        "tool_log",
    } == set()


async def test_the_status_tells_the_turn_and_what_it_does(story: Story) -> None:
    session, viewer = await story.begin()
    thinks = Gate()
    story.model.play(calls(bash("while [ ! -e go ]; do sleep 0.02; done")))
    story.model.play(Reply(text="Done.", hold={"start": thinks}))
    await viewer.say("Go")
    turn = (await viewer.until("turn_started"))["turn"]
    await viewer.status_is(state="running", turn=turn, activity="tools")
    assert (await story.api.look(session))["state"] == "running"
    await story.put(session, "go")
    await viewer.status_is(state="running", turn=turn, activity="model")
    thinks.set()
    await viewer.until("turn_ended")
    idle = await viewer.status_is(state="idle")
    assert "turn" not in idle
    assert idle["queue"] == []
    await viewer.status_is(state="idle", context=idle["context"])


async def test_the_context_used_grows_with_the_conversation(story: Story) -> None:
    _, viewer = await story.begin()
    before = viewer.status["context"]
    await story.turn(viewer, "Hello", Reply(text="Hi.", usage=Tokens(prompt=5_000, completion=70)))
    after = await viewer.wait(
        lambda: c if (c := viewer.status["context"])["used"] >= 5_000 else None, "a used context"
    )
    assert after["limit"] == before["limit"] > 5_000
    assert after["used"] < after["limit"]


async def test_the_conversation_is_shown_to_the_model(story: Story) -> None:
    _, viewer = await story.begin()
    await story.turn(viewer, "My name is Ada.", Reply(text="Hello, Ada."))
    await story.turn(viewer, "What is my name?", Reply(text="Ada."))
    said = shown(story.model.requests[1])
    places = [said.index(t) for t in ("My name is Ada.", "Hello, Ada.", "What is my name?")]
    assert places == sorted(places)


async def test_another_model_is_used_from_the_next_call_on(story: Story) -> None:
    session, viewer = await story.begin()
    await viewer.accepted("set_model", id="m1", model="openai/other-model")
    updated = await viewer.until("session_updated")
    assert named(updated, "seq") == {
        "type": "session_updated",
        "model": "openai/other-model",
        "by": "dev",
    }
    await story.turn(viewer, "Hello")
    assert viewer.of("turn_started")[0]["model"] == "openai/other-model"
    assert story.model.requests[0].body["model"] == "other-model"
    assert (await story.api.look(session))["model"] == "openai/other-model"


async def test_another_model_is_used_within_the_turn(story: Story) -> None:
    session, viewer = await story.begin()
    story.model.play(calls(bash(UNTIL_GO)), Reply(text="Done."))
    await viewer.say("Go")
    await viewer.shows("waiting", "log")
    await viewer.accepted("set_model", model="openai/other-model")
    await story.put(session, "go")
    await viewer.until("turn_ended", status="completed")
    assert [seen.body["model"] for seen in story.model.requests] == ["test-model", "other-model"]


async def test_an_unknown_model_is_refused(story: Story) -> None:
    _, viewer = await story.begin()
    assert (await viewer.refused("set_model", model="no/such-model"))["code"] == "no_such_model"
    assert viewer.kinds() == ["session_created"]


async def test_attachments_are_paths_in_the_workspace(story: Story) -> None:
    session, viewer = await story.begin()
    await story.put(session, "data.csv", b"a,b\n1,2\n")
    await story.turn(viewer, "Read it", attachments=["data.csv"])
    assert viewer.of("user_message")[0]["attachments"] == ["data.csv"]
    assert "data.csv" in shown(story.model.requests[0])


async def test_a_missing_attachment_is_malformed(story: Story) -> None:
    _, viewer = await story.begin()
    refused = await viewer.refused("user_input", text="Read it", attachments=["nowhere.csv"])
    assert refused["code"] == "malformed"
    assert "nowhere.csv" in refused["message"]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd"])
async def test_an_attachment_outside_the_workspace_is_malformed(story: Story, path: str) -> None:
    _, viewer = await story.begin()
    refused = await viewer.refused("user_input", text="Read it", attachments=[path])
    assert refused["code"] == "malformed"


async def test_a_ping_is_ponged_and_nothing_else_happens(story: Story) -> None:
    _, viewer = await story.begin()
    before = len(viewer.frames)
    at_any_time = {"status", "heartbeat"}
    pong = await viewer.ask({"type": "ping", "id": "p1"})
    assert pong == {"type": "pong", "id": "p1", "at": pong["at"]}
    assert viewer.kinds() == ["session_created"]
    later = [frame["type"] for frame in viewer.frames[before:]]
    assert [kind for kind in later if kind not in at_any_time] == ["pong"]


async def test_auto_approval_asks_again_where_its_cap_is_reached(alone: NewStory) -> None:
    prices = {"openai/test-model": {"prices": {"input": 1.0, "output": 0.0}}}
    story = await alone({"models": prices})
    session, viewer = await story.begin()
    await viewer.accepted("set_auto_approval", enabled=True, cost_cap_usd=0.5)
    ask = bash("echo please-ask")
    cheap = Reply(calls=[ask], usage=Tokens(prompt=100_000))
    await story.turn(viewer, "Go", cheap, Reply(text="Done.", usage=Tokens(prompt=100_000)))
    assert viewer.of("approval_required") == []
    story.model.play(Reply(calls=[ask], usage=Tokens(prompt=400_000)))
    await viewer.say("Again")
    await viewer.until("approval_required")
    assert (await story.api.look(session))["usage"]["cost_usd"] == pytest.approx(0.6)
    await viewer.accepted("interrupt")


async def test_auto_approval_is_told_and_spares_the_question(story: Story) -> None:
    _, viewer = await story.begin()
    await viewer.accepted("set_auto_approval", enabled=True, cost_cap_usd=2.5)
    updated = await viewer.until("session_updated")
    assert named(updated, "seq") == {
        "type": "session_updated",
        "auto_approval": {"enabled": True, "cost_cap_usd": 2.5},
        "by": "dev",
    }
    await viewer.accepted("set_auto_approval", enabled=True)
    await story.turn(viewer, "Go", calls(bash("echo please-ask")), Reply(text="Done."))
    assert viewer.of("approval_required") == []
    await viewer.accepted("set_auto_approval", enabled=False)
    story.model.play(calls(bash("echo please-ask")))
    await viewer.say("Again")
    await viewer.until("approval_required")
    await viewer.accepted("interrupt")
