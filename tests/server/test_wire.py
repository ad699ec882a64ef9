"""The frames are what the contract says, to the letter."""

import json
from typing import Any

import msgspec
import pytest

from agent.protocol import (
    AnyEvent,
    AssistantMessage,
    InputWithdrawn,
    JobEnded,
    ToolOutput,
    TurnEnded,
    decode_event,
)
from server.wire import (
    Accepted,
    Bye,
    Context,
    Fleet,
    Frame,
    Heartbeat,
    Hello,
    LastTurn,
    Pong,
    Queued,
    ReasoningDelta,
    Refused,
    Row,
    Session,
    Spent,
    Status,
    Synced,
    Tally,
    TextDelta,
    ToolLog,
    Totals,
    encode,
    outgoing,
)

SESSION = Session("s", "A title", "dev", "demo", "idle", "c", "a", 3, 1, 0, Spent(1, 2, None),
                  LastTurn("failed", "unreachable"))  # fmt: skip
SESSION_JSON = {
    "id": "s", "title": "A title", "owner": "dev", "model": "demo", "state": "idle",
    "created_at": "c", "active_at": "a", "head": 3, "queue": 1, "pending_approvals": 0,
    "usage": {"input_tokens": 1, "output_tokens": 2, "cost_usd": None},
    "last_turn": {"status": "failed", "reason": "unreachable"},
    "pending_questions": 0,
}  # fmt: skip
TOTALS = Totals(Tally(1, 0, 0, 2), 3, 0.0, 0.0, 0.0, None, 0.1, 50.0)
TOTALS_JSON = {
    "sessions": {"live": 1, "running": 0, "awaiting_approval": 0, "stored": 2}, "viewers": 3,
    "tokens_per_second": 0.0, "turns_per_minute": 0.0, "errors_per_minute": 0.0,
    "cost_usd_today": None, "loop_lag_ms": 0.1, "memory_mib": 50.0,
}  # fmt: skip
ROW = Row(
    **{name: getattr(SESSION, name) for name in Session.__struct_fields__},
    activity=None, turn_seconds=None, tokens_per_second=0.0, context=Context(1, 2), viewers=0,
)  # fmt: skip
ROW_JSON = {
    **SESSION_JSON, "activity": None, "turn_seconds": None, "tokens_per_second": 0.0,
    "context": {"used": 1, "limit": 2}, "viewers": 0,
}  # fmt: skip

FRAMES: list[tuple[Frame, dict[str, Any]]] = [
    (Hello(SESSION, "L", 3, "replay", 2),
     {"type": "hello", "protocol": 1, "session": SESSION_JSON, "log": "L", "head": 3,
      "mode": "replay", "from": 2}),
    (Hello(SESSION, "L", 3, "tail", 2, reason="unknown_position"),
     {"type": "hello", "protocol": 1, "session": SESSION_JSON, "log": "L", "head": 3,
      "mode": "tail", "from": 2, "reason": "unknown_position"}),
    (Synced(3), {"type": "synced", "seq": 3}),
    (TextDelta("t", "i", 0, "a"),
     {"type": "text_delta", "turn": "t", "item": "i", "offset": 0, "text": "a"}),
    (ReasoningDelta("t", "i", 0, "a"),
     {"type": "reasoning_delta", "turn": "t", "item": "i", "offset": 0, "text": "a"}),
    (ToolLog("t", "c", 0, "a"),
     {"type": "tool_log", "turn": "t", "call": "c", "offset": 0, "text": "a"}),
    (ToolLog("t", "c", 9, "a", skipped=9),
     {"type": "tool_log", "turn": "t", "call": "c", "offset": 9, "text": "a", "skipped": 9}),
    (Status("idle", (), False, Context(0, 9), 0),
     {"type": "status", "state": "idle", "queue": [], "held": False,
      "context": {"used": 0, "limit": 9}, "viewers": 0}),
    (Status("running", (Queued("q", "x", "queue"),), True, Context(0, 9), 1, "t", "model"),
     {"type": "status", "state": "running", "turn": "t", "activity": "model",
      "queue": [{"submission": "q", "text": "x", "delivery": "queue"}], "held": True,
      "context": {"used": 0, "limit": 9}, "viewers": 1}),
    (Heartbeat("now", 3), {"type": "heartbeat", "head": 3, "at": "now"}),
    (Heartbeat("now"), {"type": "heartbeat", "at": "now"}),
    (Accepted("c1", 43), {"type": "accepted", "id": "c1", "seq": 43}),
    (Accepted("c1", 43, duplicate=True),
     {"type": "accepted", "id": "c1", "seq": 43, "duplicate": True}),
    (Refused("c1", "busy", "m"),
     {"type": "refused", "id": "c1", "code": "busy", "message": "m"}),
    (Refused(None, "rate_limited", "m", 1.5),
     {"type": "refused", "id": None, "code": "rate_limited", "message": "m", "retry_after": 1.5}),
    (Pong("c1", "now"), {"type": "pong", "id": "c1", "at": "now"}),
    (Bye(1000, "ended"), {"type": "bye", "code": 1000, "reason": "ended"}),
    (Bye(1012, "going", 2), {"type": "bye", "code": 1012, "reason": "going", "retry_after": 2}),
    (Fleet(True, (ROW,), TOTALS, at="now"),
     {"type": "fleet", "at": "now", "full": True, "sessions": [ROW_JSON], "totals": TOTALS_JSON}),
    (Fleet(False, (), TOTALS, gone=()),
     {"type": "fleet", "full": False, "sessions": [], "gone": [], "totals": TOTALS_JSON}),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "expected"), FRAMES, ids=lambda value: type(value).__name__)
def test_a_frame_has_exactly_the_fields_of_the_contract(
    frame: Frame, expected: dict[str, Any]
) -> None:
    assert json.loads(encode(frame)) == expected


def test_every_frame_has_a_schema() -> None:
    _, schemas = msgspec.json.schema_components([type(frame) for frame, _ in FRAMES])
    assert {type(frame).__name__ for frame, _ in FRAMES} <= schemas.keys()


EVENTS: list[tuple[AnyEvent, str | None, str | None]] = [
    (AssistantMessage("t", "i", 'say "hi"'), "i", None),
    (ToolOutput("t", "c", "ok", "é\n", False, 2, 0.5), "c", None),
    (TurnEnded("t", "completed"), None, "t"),
    (JobEnded("ada/j1", "ok", "Bye.", 60.0), "ada/j1", None),
    (InputWithdrawn("c1", "dev"), None, None),
]


@pytest.mark.parametrize(("event", "closes", "ends"), EVENTS, ids=lambda v: type(v).__name__)
def test_an_event_is_encoded_once_with_its_number_and_says_what_it_closes(
    event: AnyEvent, closes: str | None, ends: str | None
) -> None:
    out = outgoing(42, "2026-11-20T10:00:00.000Z", event)
    body = json.loads(out.body)
    assert list(body)[:3] == ["seq", "at", "type"]
    assert (body["seq"], body["at"]) == (42, "2026-11-20T10:00:00.000Z")
    assert decode_event(out.body) == event
    assert (out.closes, out.ends) == (closes, ends)
