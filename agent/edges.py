"""The two edges of a turn: the events that begin one, and those that end one."""

from collections.abc import Callable, Mapping

from agent.history import History, Queued
from agent.protocol import (
    MOORING,
    AnyEvent,
    CallId,
    EndStatus,
    InputWithdrawn,
    OutputStatus,
    QueueFate,
    ToolOutput,
    TurnEnded,
    TurnError,
    TurnId,
    TurnStarted,
    UserId,
    UserMessage,
)

UNKNOWN = (
    "Outcome unknown: the server stopped while this ran. It was not run again; "
    "check what it did before you repeat it."
)
"""What the model is told of a call that was started and has no result."""

NewId = Callable[[str], str]
"""Mints an id, unique in the session, from a prefix that says what it names."""


def begin(turn: TurnId, message: Queued, model: str) -> tuple[AnyEvent, ...]:
    """A turn starts with what was said to start it."""
    return (
        UserMessage(
            turn, message.submission, message.text, message.author, attachments=message.attachments
        ),
        TurnStarted(turn, message.submission, model),
    )


def begin_next(history: History, new_id: NewId, model: str | None = None) -> tuple[AnyEvent, ...]:
    """The oldest queued input begins; nothing where none is queued."""
    oldest = next(iter(history.queue.values()), None)
    return () if oldest is None else begin(new_id("turn"), oldest, model or history.model)


def answer_open(
    history: History,
    status: OutputStatus,
    why: str,
    shown: Mapping[CallId, ToolOutput] | None = None,
) -> tuple[ToolOutput, ...]:
    """One output for every open call of the open turn.

    `shown`: outputs of calls that were running, holding what they printed until now.
    """
    turn = history.open_turn
    if turn is None:
        return ()
    known = shown or {}
    return tuple(
        known.get(c.made.call)
        or ToolOutput(turn.id, c.made.call, status, why, False, len(why), 0.0)
        for c in turn.open_calls
    )


def end(
    history: History,
    status: EndStatus,
    *,
    reason: str | None = None,
    error: TurnError | None = None,
    queue: QueueFate = "hold",
    by: UserId = MOORING,
    new_id: NewId,
) -> tuple[AnyEvent, ...]:
    """The open turn ends; its calls are answered already. What is queued is held, dropped or begun.

    A turn that is completed begins the oldest queued input in the same commit, so that there is no
    moment between two turns.
    """
    turn = history.open_turn
    assert turn is not None, "no turn to end"
    ended = TurnEnded(turn.id, status, reason, error)
    if queue == "drop":
        return (*(InputWithdrawn(s, by) for s in history.queue), ended)
    if queue == "continue" or (status == "completed" and not history.held):
        return (ended, *begin_next(history, new_id))
    return (ended,)
