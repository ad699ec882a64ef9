"""The oracle itself: a server that breaks a promise does not get past it."""

from typing import Any

import pytest

from tests.connection import Connection
from tests.oracle import Broken, Frame, Log

AT = "2026-01-01T00:00:00.000Z"
ROW: Frame = {
    "id": "s",
    "title": "A story",
    "owner": "dev",
    "model": "m",
    "state": "idle",
    "created_at": AT,
    "active_at": AT,
    "head": 1,
    "queue": 0,
    "pending_approvals": 0,
    "pending_questions": 0,
    "usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": None},
    "last_turn": None,
}
STATUS: Frame = {
    "type": "status",
    "state": "running",
    "queue": [],
    "held": False,
    "context": {"used": 0, "limit": 9},
    "viewers": 1,
}


def event(kind: str, seq: int, **fields: Any) -> Frame:
    return {"type": kind, "seq": seq, "at": AT, **fields}


def delta(offset: int, text: str) -> Frame:
    return {"type": "text_delta", "turn": "t", "item": "i", "offset": offset, "text": text}


def message(seq: int, text: str, **more: Any) -> Frame:
    return event("assistant_message", seq, turn="t", item="i", text=text, **more)


def called(seq: int, call: str) -> Frame:
    fields = {"tool": "bash", "arguments": {}, "effect": "execute"}
    return event("tool_call", seq, turn="t", call=call, **fields)


def output(seq: int, call: str, status: str = "ok", text: str = "") -> Frame:
    fields = {"status": status, "output": text, "truncated": False, "size": len(text), "seconds": 0}
    return event("tool_output", seq, turn="t", call=call, **fields)


HELLO: Frame = {
    "type": "hello",
    "protocol": 1,
    "session": ROW,
    "log": "L",
    "head": 3,
    "mode": "replay",
    "from": 1,
}
BEGUN = [
    HELLO,
    event("session_created", 1, model="m", title="A story"),
    event("user_message", 2, turn="t", submission="c", text="Go", author="dev"),
    event("turn_started", 3, turn="t", submission="c", model="m"),
    {"type": "synced", "seq": 3},
    STATUS,
]
REPLY = [delta(0, "Hi"), message(4, "Hi")]
END = event("turn_ended", 5, turn="t", status="completed")
STARTED = [*REPLY, called(5, "k"), event("tool_started", 6, turn="t", call="k")]
QUESTION = {"call": "k", "tool": "bash", "arguments": {}, "reason": "it asks"}
ASKED = [*REPLY, called(5, "k"), event("approval_required", 6, turn="t", calls=[QUESTION])]


def play(frames: list[Frame]) -> Connection:
    connection = Connection(Log(), after=0, deltas=True)
    for frame in frames:
        connection.take(frame)
    return connection


GOOD: dict[str, list[Frame]] = {
    "a whole turn": [*BEGUN, *REPLY, END],
    "an overlap": [*BEGUN, delta(0, "H"), delta(0, "Hi"), message(4, "Hi"), END],
    "a partial message": [*BEGUN, delta(0, "Hi, wor"), message(4, "Hi", partial=True), END],
    "unknown fields": [*BEGUN, *REPLY, {**END, "colour": "red"}],
    "a call": [
        *BEGUN,
        *STARTED,
        output(7, "k"),
        event("turn_ended", 8, turn="t", status="completed"),
    ],
    "an open item": [*BEGUN[:4], delta(0, "Hi"), *BEGUN[4:], message(4, "Hi"), END],
}
BAD: dict[str, list[Frame]] = {
    "a hole in the numbers": [*BEGUN, event("turn_ended", 5, turn="t", status="completed")],
    "a number twice": [*BEGUN, BEGUN[3]],
    "an event before synced and after open items": [*BEGUN[:3], delta(0, "Hi"), BEGUN[3]],
    "an event between synced and status": [*BEGUN[:5], message(4, "")],
    "an answer before synced": [*BEGUN[:4], {"type": "accepted", "id": "c", "seq": 2}],
    "synced too early": [*BEGUN[:3], {"type": "synced", "seq": 2}],
    "synced twice": [*BEGUN, {"type": "synced", "seq": 3}],
    "hello twice": [*BEGUN, HELLO],
    "a hole in a text": [*BEGUN, delta(0, "Hi"), delta(3, "!")],
    "an overlap that differs": [*BEGUN, delta(0, "Hi"), delta(1, "o!")],
    "an open item in two pieces": [*BEGUN[:4], delta(0, "H"), delta(1, "i")],
    "a final text that was not shown": [*BEGUN, delta(0, "Hi"), message(4, "Hi!")],
    "a final text that was never shown": [*BEGUN, message(4, "Hi")],
    "a delta of a closed item": [*BEGUN, *REPLY, delta(2, "!")],
    "a delta of another turn": [*BEGUN, {**delta(0, "Hi"), "turn": "u"}],
    "an item left open": [*BEGUN, delta(0, "Hi"), {**END, "seq": 4}],
    "two ends": [*BEGUN, *REPLY, END, {**END, "seq": 6}],
    "a call without output": [*BEGUN, *STARTED, {**END, "seq": 7}],
    "two outputs": [*BEGUN, *STARTED, output(7, "k"), output(8, "k")],
    "an output of a call that never started": [*BEGUN, *REPLY, called(5, "k"), output(6, "k")],
    "a call that starts while it is asked": [
        *BEGUN,
        *ASKED,
        event("tool_started", 7, turn="t", call="k"),
    ],
    "a call outside its reply": [*BEGUN, called(4, "k")],
    "a failure without an error": [*BEGUN, *REPLY, {**END, "status": "failed"}],
    "a missing field": [*BEGUN, event("assistant_message", 4, turn="t", item="i")],
    "a time of another kind": [*BEGUN, {**message(4, ""), "at": "2026-01-01 00:00:00"}],
    "an unknown frame": [*BEGUN, {"type": "greeting"}],
    "a message without its turn": [*BEGUN[:3], message(3, "")],
    "a poor status": [*BEGUN[:5], {"type": "status", "state": "idle"}],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_server_passes(name: str) -> None:
    assert play(GOOD[name]).log.turn is None


@pytest.mark.parametrize("name", BAD)
def test_a_broken_promise_is_found(name: str) -> None:
    with pytest.raises(Broken):
        play(BAD[name])
