"""The page's fold of frames, `static/state.js`, against the rules of the contract."""

import json
from typing import Any

import pytest

from tests.browser.conftest import Meet

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Frame = dict[str, Any]
FOLD = "({apply, empty}, frames) => frames.reduce((state, frame) => apply(state, frame), empty)"
AT = "2026-11-20T19:00:00.000Z"
SESSION = {"id": "s1", "title": "", "state": "idle", "model": "demo"}


def hello(start: int = 1, mode: str = "replay", log: str = "L") -> Frame:
    return {
        "type": "hello", "protocol": 1, "session": SESSION, "log": log, "head": 9, "mode": mode,
        "from": start,
    }  # fmt: skip


def event(seq: int, type: str, **fields: Any) -> Frame:
    return {"type": type, "seq": seq, "at": AT, **fields}


def delta(offset: int, text: str, type: str = "text_delta") -> Frame:
    return {"type": type, "turn": "t1", "item": "i1", "offset": offset, "text": text}


def log(offset: int, text: str, **more: Any) -> Frame:
    return {"type": "tool_log", "turn": "t1", "call": "c1", "offset": offset, "text": text, **more}


def synced(seq: int) -> Frame:
    return {"type": "synced", "seq": seq}


USER = event(1, "user_message", turn="t1", submission="u1", text="Hi", author="dev")
ENDED = event(2, "turn_ended", turn="t1", status="completed")
CALL = event(
    1, "tool_call", turn="t1", call="c1", tool="bash", arguments={"command": "ls"}, effect="execute"
)
QUESTION = {"call": "c1", "tool": "bash", "arguments": {"command": "ls"}, "reason": "asks"}
ASKED = event(2, "approval_required", turn="t1", calls=[QUESTION])
EDITED = {"call": "c1", "decision": "approve", "arguments": {"command": "pwd"}}
RULED = event(3, "approval_resolved", turn="t1", decisions=[EDITED], by="dev", submission="a1")


def said(text: str, seq: int = 1) -> Frame:
    return event(seq, "assistant_message", turn="t1", item="i1", text=text)


@pytest.mark.parametrize(
    ("frames", "text", "open"),
    [
        pytest.param([delta(0, "Hel"), delta(3, "lo")], "Hello", True, id="deltas join"),
        pytest.param([delta(0, "Hel"), delta(0, "Hello")], "Hello", True, id="overlap adds none"),
        pytest.param([delta(0, "Hello"), delta(1, "el")], "Hello", True, id="old news is old"),
        pytest.param([delta(0, "a😀"), delta(2, "b")], "a😀b", True, id="offsets are code points"),
        pytest.param([delta(0, "a😀"), delta(1, "😀b")], "a😀b", True, id="overlap cuts no emoji"),
        pytest.param([delta(0, "Hel"), said("Hello")], "Hello", False, id="the event decides"),
        pytest.param([said("Hello"), delta(5, "!")], "Hello", False, id="closed stays closed"),
        pytest.param(
            [delta(0, "Hello wor"), hello(), delta(0, "Hello")], "Hello", True,
            id="after a reconnect the server's text replaces ours",
        ),
    ],
)  # fmt: skip
async def test_an_open_text_is_what_the_server_says(
    shelf: str, meet: Meet, frames: list[Frame], text: str, open: bool
) -> None:
    person = await meet(shelf)
    state = await person.run("/static/state.js", FOLD, [hello(), *frames])
    assert [(e["text"]["text"], e["open"]) for e in state["entries"]] == [(text, open)]
    assert state["fault"] is None


@pytest.mark.parametrize(
    ("frames", "fault"),
    [
        pytest.param([USER, ENDED], None, id="dense numbers"),
        pytest.param([ENDED], "gap", id="a number is missing"),
        pytest.param([USER, USER], "gap", id="a number comes twice"),
        pytest.param([delta(3, "lo")], "hole", id="a text begins in the middle"),
        pytest.param([USER, synced(2)], "gap", id="less came than was promised"),
        pytest.param([hello(start=5)], "gap", id="the replay begins too late"),
        pytest.param([log(70, "x", skipped=70)], None, id="a log says what it left out"),
        pytest.param([event(1, "made_up_later"), ENDED], None, id="unknown events still count"),
        pytest.param([{"type": "made_up_later"}], None, id="unknown frames are ignored"),
        pytest.param([{"type": "constructor"}], None, id="a name that every object has is no rule"),
    ],
)
async def test_a_broken_promise_is_noticed(
    shelf: str, meet: Meet, frames: list[Frame], fault: str | None
) -> None:
    person = await meet(shelf)
    state = await person.run("/static/state.js", FOLD, [hello(), *frames])
    assert state["fault"] == fault


@pytest.mark.parametrize(
    ("frames", "state", "arguments"),
    [
        pytest.param([], "queued", "ls", id="called"),
        pytest.param([ASKED], "asks", "ls", id="asked"),
        pytest.param([ASKED, RULED], "queued", "pwd", id="approved with other arguments"),
        pytest.param(
            [ASKED, RULED, event(4, "tool_started", turn="t1", call="c1")], "running", "pwd",
            id="running",
        ),
        pytest.param(
            [event(2, "tool_output", turn="t1", call="c1", status="unknown", output="",
                   truncated=False, size=0, seconds=0)],
            "unknown", "ls", id="outcome unknown",
        ),
    ],
)  # fmt: skip
async def test_a_card_knows_how_its_call_stands(
    shelf: str, meet: Meet, frames: list[Frame], state: str, arguments: str
) -> None:
    person = await meet(shelf)
    folded = await person.run("/static/state.js", FOLD, [hello(), CALL, *frames])
    [card] = folded["entries"]
    assert (card["state"], card["arguments"]["command"]) == (state, arguments)


async def test_an_undone_turn_takes_its_plan_along(shelf: str, meet: Meet) -> None:
    def plan(seq: int, turn: str) -> Frame:
        return event(seq, "plan_updated", turn=turn, items=[{"id": "1", "content": turn}])

    undone = event(3, "turn_undone", turn="t2", submission="x")
    script = "({apply, empty, plan}, frames) => plan(frames.reduce((s, f) => apply(s, f), empty))"
    person = await meet(shelf)
    frames = [hello(), plan(1, "t1"), plan(2, "t2"), undone]
    assert await person.run("/static/state.js", script, frames) == [{"id": "1", "content": "t1"}]


async def test_a_half_sentence_that_no_event_kept_goes_with_its_turn(
    shelf: str, meet: Meet
) -> None:
    person = await meet(shelf)
    frames = [hello(), USER, delta(0, "I was ab"), hello(2), ENDED, synced(2)]
    state = await person.run("/static/state.js", FOLD, frames)
    assert [entry["kind"] for entry in state["entries"]] == ["user"]


async def test_a_tail_replaces_what_was_there(shelf: str, meet: Meet) -> None:
    person = await meet(shelf)
    late = event(7, "user_message", turn="t9", submission="u9", text="Later", author="dev")
    frames = [hello(), USER, hello(7, "tail", "M"), late, synced(7)]
    state = await person.run("/static/state.js", FOLD, frames)
    assert [entry["text"] for entry in state["entries"]] == ["Later"]
    assert (state["oldest"], state["log"], state["synced"]) == (7, "M", True)


async def test_earlier_pages_give_what_one_replay_would_have(shelf: str, meet: Meet) -> None:
    """Also where a page ends between a call and its output, and while a sentence is open."""
    script = """({apply, earlier, empty}, [past, late]) => {
      const fold = (state, frames) => frames.reduce((s, f) => apply(s, f), state);
      const whole = fold(empty, [%s, ...past, ...late]);
      const paged = earlier(fold(empty, [%s, ...late]), past);
      return [whole.entries, paged.entries, paged.oldest];
    }"""
    script %= (json.dumps(hello()), json.dumps(hello(3, "tail")))
    past = [USER, {**CALL, "seq": 2}]
    output = event(
        3, "tool_output", turn="t1", call="c1", status="ok", output="a", truncated=False,
        size=1, seconds=0.1,
    )  # fmt: skip
    person = await meet(shelf)
    whole, paged, oldest = await person.run(
        "/static/state.js", script, [past, [output, delta(0, "So")]]
    )
    assert (whole, oldest) == (paged, 1)
    assert [entry["kind"] for entry in paged] == ["user", "tool", "assistant"]
