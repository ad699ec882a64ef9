"""A client that comes back, or comes late, finds everything where it belongs."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.client import Viewer
from tests.model_server import Gate, Reply
from tests.model_server.reply import Held
from tests.oracle import DELTAS, Frame
from tests.stories.scene import UNTIL_GO, Story, bash, calls

SEED = 20


def before_synced(viewer: Viewer) -> Iterator[Frame]:
    for frame in viewer.frames:
        if frame["type"] == "synced":
            return
        yield frame


async def test_who_comes_mid_sentence_sees_the_whole_half_sentence(story: Story) -> None:
    session, first = await story.begin()
    gate = Gate()
    story.model.play(Reply(text="Once upon a time there was 🛟.", chunk_size=3, hold={5: gate}))
    await first.say("Tell me")
    await first.shows("Once upon a tim")
    late = await story.join(session)
    message = first.of("turn_started")[0]
    *_, last = before_synced(late)
    assert last == {
        "type": "text_delta",
        "turn": message["turn"],
        "item": last["item"],
        "offset": 0,
        "text": "Once upon a tim",
    }
    gate.set()
    for viewer in (first, late):
        assert (await viewer.until("assistant_message"))["item"] == last["item"]
    await late.until("turn_ended")


async def test_reasoning_and_text_of_an_open_item_are_both_given(story: Story) -> None:
    session, first = await story.begin()
    gate = Gate()
    story.model.play(Reply(reasoning="Hm, hm.", text="Well then", hold={2: gate}))
    await first.say("Think")
    await first.shows("Well the")
    late = await story.join(session)
    deltas = [f for f in before_synced(late) if "delta" in f["type"]]
    assert {delta["type"]: (delta["offset"], delta["text"]) for delta in deltas} == {
        "reasoning_delta": (0, "Hm, hm."),
        "text_delta": (0, "Well the"),
    }
    gate.set()
    await late.until("turn_ended")


async def test_who_comes_while_tools_run_sees_their_output_so_far(story: Story) -> None:
    session, first = await story.begin()
    story.model.play(calls(bash("printf one;" + UNTIL_GO), bash("printf two;" + UNTIL_GO)))
    await first.say("Go")
    await first.shows("onewaiting", "log")
    await first.shows("twowaiting", "log")
    late = await story.join(session)
    logs = [frame for frame in before_synced(late) if frame["type"] == "tool_log"]
    assert sorted(log["text"] for log in logs) == ["onewaiting\n", "twowaiting\n"]
    assert {log["call"] for log in logs} == {call["call"] for call in first.of("tool_call")}
    await story.put(session, "go")
    await late.until("turn_ended", status="completed")


async def test_of_a_long_running_output_the_end_is_kept(story: Story) -> None:
    session, first = await story.begin()
    size, kept = 400_000, 256 * 1024
    story.model.play(calls(bash(f"head -c {size} /dev/zero | tr '\\0' x; {UNTIL_GO}")))
    await first.say("Go")
    await first.shows("waiting", "log")
    late = await story.join(session)
    (log,) = [frame for frame in before_synced(late) if frame["type"] == "tool_log"]
    total = size + len("waiting\n")
    assert log["offset"] == log["skipped"] > 0
    assert log["offset"] + len(log["text"]) == total
    assert 0.5 * kept <= len(log["text"]) <= kept
    assert log["text"].endswith("xwaiting\n")
    await story.put(session, "go")
    output = await late.until("tool_output")
    assert output["truncated"] is True
    assert output["size"] >= total
    await late.until("turn_ended")


async def test_who_wants_no_deltas_gets_no_open_items(story: Story) -> None:
    session, first = await story.begin()
    gate = Gate()
    story.model.play(Reply(text="Once upon a time", hold={1: gate}))
    await first.say("Tell me")
    await first.shows("Once upo")
    bot = await story.join(session, deltas="none")
    kinds = [frame["type"] for frame in bot.frames]
    assert DELTAS.keys().isdisjoint(kinds)
    assert kinds[kinds.index("synced") :][:2] == ["synced", "status"]
    gate.set()
    await bot.until("turn_ended")


async def test_coming_back_gives_exactly_what_was_missed(story: Story) -> None:
    session, phone = await story.begin()
    laptop = await story.join(session)
    await story.turn(laptop, "One")
    await phone.until("turn_ended")
    log = phone.cut()
    missed = log.last
    await story.turn(laptop, "Two")
    back = await story.join(session, log=log, generation=phone.hello["log"])
    assert back.hello["mode"] == "replay"
    assert back.hello["from"] == missed + 1
    assert back.events == laptop.events


async def test_the_log_of_an_interrupted_connection_goes_on_mid_word(story: Story) -> None:
    session, phone = await story.begin()
    gate = Gate()
    story.model.play(Reply(text="Once upon a time there was", hold={1: gate}))
    await phone.say("Tell me")
    await phone.shows("Once upo")
    back = await story.join(session, log=phone.cut())
    assert await back.shows("Once upo") == "Once upo"
    gate.set()
    message = await back.until("assistant_message")
    assert message["text"] == "Once upon a time there was"
    await back.until("turn_ended")


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
async def test_any_number_of_cuts_leaves_one_transcript(story: Story, seed: int) -> None:
    chance = random.Random(seed)
    session, steady = await story.begin()
    gates: dict[Held, Gate] = {place: Gate() for place in range(5, 200, 10)}
    text = " ".join(f"word{number}" for number in range(400))
    tool = [bash("echo tool")]
    story.model.play(Reply(text=text, chunk_size=12, calls=tool, hold=gates), Reply(text="Done."))
    phone = await story.join(session)
    await steady.say("Tell me everything")
    for gate in gates.values():
        await gate.reached.wait()
        if chance.random() < 0.5:
            await phone.shows(text[: 8 + chance.randrange(20)])
        phone = await story.join(session, log=phone.cut())
        gate.set()
    await phone.until("turn_ended")
    await steady.until("turn_ended")
    assert phone.events == steady.events == await story.api.events(session)
    assert phone.of("assistant_message")[0]["text"] == text


async def test_many_viewers_see_the_same(story: Story) -> None:
    session, first = await story.begin()
    others = [await story.join(session) for _ in range(12)]
    await first.status_is(viewers=13)
    replies = [calls(bash("echo hi"), text="Well,"), Reply(reasoning="Hm.", text="Done. 🛟")]
    await story.turn(first, "Go", *replies)
    for other in others:
        await other.until("turn_ended")
        assert other.events == first.events


async def test_who_comes_in_a_turn_is_told_how_it_stands(story: Story) -> None:
    session, first = await story.begin()
    story.model.play(calls(bash(UNTIL_GO)))
    await first.say("Go")
    await first.shows("waiting", "log")
    await first.say("Next")
    await first.until("input_queued")
    late = await story.join(session)
    assert late.status["state"] == "running"
    assert late.status["turn"] == first.of("turn_started")[0]["turn"]
    assert [entry["text"] for entry in late.status["queue"]] == ["Next"]
    assert late.hello["session"]["state"] == "running"
    assert late.hello["session"]["queue"] == 1
    await story.put(session, "go")
    await late.until("turn_ended")
    await late.until("turn_ended")


async def test_events_committed_during_the_replay_follow_it(story: Story) -> None:
    session, first = await story.begin()
    story.model.answer = lambda seen: Reply(text="word " * 2_000, chunk_size=5)
    await first.say("Go")
    for number in range(15):
        await first.say(f"Next {number}")
        viewer = await story.join(session)
        assert viewer.connection.synced_at >= viewer.hello["head"]
    # All turns may be over by now.
    await first.ask({"type": "interrupt", "id": "the-end", "queue": "drop"})
    await first.status_is(state="idle", queue=[])


async def test_comings_and_goings_are_told_at_most_twice_a_second(story: Story) -> None:
    session, steady = await story.begin()
    loop = asyncio.get_running_loop()
    before, begun = len(steady.frames), loop.time()
    for _ in range(25):
        other = await story.join(session)
        await other.leave()
    await steady.status_is(viewers=1)
    last = await story.join(session)
    await steady.status_is(viewers=2)
    statuses = [frame for frame in steady.frames[before:] if frame["type"] == "status"]
    assert len(statuses) <= (loop.time() - begun) / 0.5 + 2
    await last.status_is(viewers=2)
