"""What must be appended to a log that ends in the middle of something, so that it can go on."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from agent.edges import UNKNOWN, NewId, end
from agent.history import COMPACTION_STOPPED, CallState, History, Turn
from agent.protocol import (
    AnyEvent,
    AssistantMessage,
    Notice,
    OutputStatus,
    ToolOutput,
    TurnError,
    TurnId,
    TurnStarted,
)
from agent.transcript import clip

CUT_SHORT = "Cancelled before it started: the server was restarted."
LONGEST_OUTPUT = 6_250
"""Tokens of what an interrupted call printed: as much as of one that ended."""


class Draft(Struct, frozen=True):
    """What was kept of an open text: of a reply (`text`, `reasoning`) or of a call's output."""

    turn: TurnId
    item: str
    kind: Literal["text", "reasoning", "tool_log"]
    text: str


class Interruption(Struct, frozen=True):
    """Why the log ends where it does: `error` makes the turn failed instead of interrupted."""

    reason: str = "server_restart"
    error: TurnError | None = None


def recover(
    history: History,
    drafts: Sequence[Draft],
    new_id: NewId,
    interruption: Interruption = Interruption(),  # noqa: B008 - a frozen value
) -> tuple[AnyEvent, ...]:
    """Nothing for a log that can go on as it is: a session at rest, or parked on a question.

    Started calls without a result are `unknown`, the others `cancelled`: none is run again.
    """
    if history.state == "running":
        return _end_turn(history, drafts, new_id, interruption)
    if history.state == "idle" and history.queue and not history.held:
        return (Notice(COMPACTION_STOPPED, "The compaction was cut short; nothing was compacted."),)
    return ()


def _end_turn(
    history: History, drafts: Sequence[Draft], new_id: NewId, why: Interruption
) -> tuple[AnyEvent, ...]:
    turn = history.open_turn
    assert turn is not None, "a running session has an open turn"
    began = TurnStarted(turn.id, turn.submission, history.model)
    kept = [d for d in drafts if d.turn == turn.id]
    logs = {d.item: d.text for d in kept if d.kind == "tool_log"}
    outputs = (_output(turn.id, call, logs) for call in turn.open_calls)
    status: Literal["failed", "interrupted"] = "failed" if why.error else "interrupted"
    reason = None if why.error else why.reason
    ending = end(history, status, reason=reason, error=why.error, new_id=new_id)
    started = () if turn.started else (began,)
    return (*started, *_half_said(turn, kept), *outputs, *ending)


def _half_said(turn: Turn, drafts: Sequence[Draft]) -> tuple[AssistantMessage, ...]:
    """A message for every item that was being written: one that is in the log is whole there."""
    whole = {e.event.item for e in turn.entries if isinstance(e.event, AssistantMessage)}
    parts: dict[str, dict[str, str]] = {}
    for draft in drafts:
        if draft.kind != "tool_log" and draft.item not in whole:
            parts.setdefault(draft.item, {})[draft.kind] = draft.text
    return tuple(
        AssistantMessage(
            turn.id, item, said.get("text", ""), said.get("reasoning", ""), partial=True
        )
        for item, said in parts.items()
    )


def _output(turn: TurnId, call: CallState, logs: Mapping[str, str]) -> ToolOutput:
    status: OutputStatus = "unknown" if call.started else "cancelled"
    note = UNKNOWN if call.started else CUT_SHORT
    printed = logs.get(call.made.call, "")
    whole = f"{printed}\n{note}" if printed else note
    shown = clip(whole, LONGEST_OUTPUT)
    return ToolOutput(turn, call.made.call, status, shown, shown != whole, len(whole), 0.0)
