"""What a submission does to a session: the events it causes, or why it is refused."""

from collections.abc import Callable
from typing import assert_never

from msgspec import Struct

from agent.answering import Redact, answered
from agent.approval import Rules, rejected
from agent.edges import NewId, answer_open, begin, begin_next, end
from agent.errors import Refused
from agent.history import CallState, History, Queued, Turn
from agent.protocol import (
    MAX_ATTACHMENTS,
    MAX_TEXT,
    Answer,
    AnyEvent,
    AnySubmission,
    Approval,
    ApprovalResolved,
    AutoApproval,
    Compact,
    Decision,
    InputQueued,
    InputWithdrawn,
    Interrupt,
    Ping,
    QueueFate,
    Resume,
    Retry,
    SessionEnded,
    SessionUpdated,
    SetAutoApproval,
    SetModel,
    Shutdown,
    ToolOutput,
    TurnUndone,
    Undo,
    UserId,
    UserInput,
    Withdraw,
)
from agent.waking import begin_woken

CANCELLED = "Cancelled before it ran: the turn was stopped."


class Do(Struct, frozen=True):
    """Record these events now: that is the whole effect."""

    events: tuple[AnyEvent, ...]


class StopTurn(Struct, frozen=True):
    """Stop the running turn; the submission is answered when its end is committed."""

    queue: QueueFate
    ends_session: bool = False


class StopCompaction(Struct, frozen=True):
    """Stop the compaction that somebody asked for."""

    queue: QueueFate
    ends_session: bool = False


class StartCompaction(Struct, frozen=True):
    """Summarise now; the submission is answered when the summary is committed."""


Ruling = Do | StopTurn | StopCompaction | StartCompaction


class Situation(Struct, frozen=True):
    """What a judgement needs beside the log: what the actor is at, and what there is."""

    by: UserId
    compacting: bool
    stopping: bool
    queue_limit: int
    rules: Rules
    redact: Redact
    new_id: NewId
    model_exists: Callable[[str], bool]
    file_exists: Callable[[str], bool]
    can_compact: Callable[[History], bool]


def judge(history: History, submission: AnySubmission, now: Situation) -> Ruling:
    """Pure but for the ids it mints; raises Refused."""
    if history.ended:
        raise Refused("session_ended", "This session has ended. Start another, or fork it.")
    match submission:
        case UserInput():
            return Do(_hear(history, submission, now))
        case Approval():
            return Do(_rule(history, submission, now))
        case Answer():
            if now.stopping:
                raise Refused("nothing_asked", "The turn that asked is being stopped.")
            return Do((answered(history, submission, now.by, now.redact),))
        case Interrupt():
            return _interrupt(history, submission, now)
        case Shutdown():
            return _shut_down(history, now)
        case Undo() | Retry():
            return Do(_undo(history, submission, now))
        case Compact():
            return _compact(history, now)
        case Resume() | Withdraw() | SetModel() | SetAutoApproval():
            return Do(_settle(history, submission, now))
        case Ping():
            raise Refused("malformed", "A ping is answered by the connection, not by a session.")
        case _ as never:
            assert_never(never)


def _hear(history: History, said: UserInput, now: Situation) -> tuple[AnyEvent, ...]:
    _readable(said, now)
    during = history.open_turn.id if history.open_turn else None
    message = Queued(said.id, said.text, said.delivery, now.by, said.attachments, during)
    if history.state == "idle" and not now.compacting:
        return begin(now.new_id("turn"), message, history.model)
    if history.state == "awaiting_approval" and said.delivery == "queue":
        superseded = end(history, "interrupted", reason="superseded", new_id=now.new_id)
        started = begin(now.new_id("turn"), message, history.model)
        return (*answer_open(history, "cancelled", CANCELLED), *superseded, *started)
    if len(history.queue) >= now.queue_limit:
        raise Refused(
            "too_many_queued",
            f"{len(history.queue)} of {now.queue_limit} inputs wait already. "
            "Withdraw one or stop the turn.",
        )
    return (InputQueued(said.id, said.text, said.delivery, now.by, said.attachments),)


def _readable(said: UserInput, now: Situation) -> None:
    if len(said.text) > MAX_TEXT:
        raise Refused(
            "too_long",
            f"`text` has {len(said.text)} of {MAX_TEXT} characters. Send the rest as a file.",
        )
    if not said.text.strip() and not said.attachments:
        raise Refused("malformed", "`text` is empty. Say something.")
    if len(said.attachments) > MAX_ATTACHMENTS:
        raise Refused(
            "malformed",
            f"`attachments` names {len(said.attachments)} of {MAX_ATTACHMENTS} files. "
            "They are in the workspace already: name their folder in the text.",
        )
    for path in said.attachments:
        if not now.file_exists(path):
            raise Refused(
                "malformed",
                f"`attachments`: there is no file {path!r} in the workspace. Upload it first.",
            )


def _rule(history: History, approval: Approval, now: Situation) -> tuple[AnyEvent, ...]:
    calls = [_ruled_call(history, d) for d in approval.decisions]
    if len({c.made.call for c in calls}) < len(calls):
        raise Refused("malformed", "`decisions` names a call twice.")
    turn = history.open_turn
    assert turn is not None, "a call waits only in an open turn"
    for call, decision in zip(calls, approval.decisions, strict=True):
        _runnable(call, decision, now)
    resolved = ApprovalResolved(turn.id, approval.decisions, now.by, approval.id)
    return (resolved, *(_rejection(turn, d) for d in approval.decisions if d.decision == "reject"))


def _ruled_call(history: History, decision: Decision) -> CallState:
    call = history.find_call(decision.call)
    if call is not None and call.is_waiting:
        return call
    if call is not None and call.decision is not None:
        raise Refused("already_decided", f"Somebody ruled on {decision.call} before.")
    if history.state != "awaiting_approval":
        raise Refused("nothing_asked", "The agent asks nothing at the moment.")
    raise Refused("no_such_call", f"{decision.call!r} is not among the calls that wait.")


def _runnable(call: CallState, decision: Decision, now: Situation) -> None:
    if decision.decision == "reject" or decision.arguments is None:
        return
    objection = now.rules.objection(call.made.tool, decision.arguments)
    if objection is not None:
        code = "forbidden" if objection.status == "rejected" else "malformed"
        raise Refused(code, f"`arguments` of {call.made.call}: {objection.why}")


def _rejection(turn: Turn, decision: Decision) -> ToolOutput:
    text = rejected(decision.feedback)
    return ToolOutput(turn.id, decision.call, "rejected", text, False, len(text), 0.0)


def _interrupt(history: History, stop: Interrupt, now: Situation) -> Ruling:
    turn = history.open_turn
    if now.stopping or (turn is None and not now.compacting):
        raise Refused("nothing_running", "Nothing is running, or it is being stopped already.")
    if stop.turn is not None and (turn is None or stop.turn != turn.id):
        raise Refused("stale_turn", f"{stop.turn!r} is not the current turn; nothing was stopped.")
    if turn is None:
        return StopCompaction(stop.queue)
    if history.state == "running":
        return StopTurn(stop.queue)
    return Do(_stop_parked(history, stop.queue, now))


def _stop_parked(
    history: History, queue: QueueFate, now: Situation, reason: str | None = None
) -> tuple[AnyEvent, ...]:
    ending = end(history, "interrupted", reason=reason, queue=queue, by=now.by, new_id=now.new_id)
    return (*answer_open(history, "cancelled", CANCELLED), *ending)


def _shut_down(history: History, now: Situation) -> Ruling:
    if now.stopping:
        raise Refused("busy", "The turn is being stopped. Try again in a moment.", retry_after=1)
    if history.state == "running":
        return StopTurn("hold", ends_session=True)
    if now.compacting:
        return StopCompaction("hold", ends_session=True)
    ended = SessionEnded("shutdown", now.by)
    if history.open_turn is None:
        return Do((ended,))
    return Do((*_stop_parked(history, "hold", now, reason="shutdown"), ended))


def _undo(history: History, asked: Undo | Retry, now: Situation) -> tuple[AnyEvent, ...]:
    _not_busy(history, now)
    turn = history.last_turn
    if turn is None:
        raise Refused("nothing_to_undo", "No turn is left to undo.")
    undone = TurnUndone(turn.id, asked.id)
    if isinstance(asked, Undo):
        return (undone,)
    id, said = now.new_id("turn"), turn.message
    if said is None:
        jobs = [history.jobs.known[job] for job in turn.told]
        woken_by = [j for j in jobs if j.started.turn != turn.id]
        return (undone, *begin_woken(id, asked.id, woken_by, history.model))
    again = Queued(asked.id, said.text, "queue", said.author, said.attachments, None)
    return (undone, *begin(id, again, history.model))


def _compact(history: History, now: Situation) -> StartCompaction:
    _not_busy(history, now)
    if not now.can_compact(history):
        raise Refused("nothing_to_compact", "There is nothing yet that a summary could stand for.")
    return StartCompaction()


def _settle(
    history: History, asked: Resume | Withdraw | SetModel | SetAutoApproval, now: Situation
) -> tuple[AnyEvent, ...]:
    match asked:
        case Resume():
            if not history.held:
                raise Refused("nothing_held", "No input is held.")
            _not_busy(history, now)
            return begin_next(history, now.new_id)
        case Withdraw():
            if asked.submission not in history.queue:
                raise Refused("not_queued", f"{asked.submission!r} is not in the queue (any more).")
            return (InputWithdrawn(asked.submission, now.by),)
        case SetModel():
            if not now.model_exists(asked.model):
                raise Refused("no_such_model", f"There is no model {asked.model!r} here.")
            return (SessionUpdated(now.by, model=asked.model),)
        case SetAutoApproval():
            setting = AutoApproval(asked.enabled, asked.cost_cap_usd)
            return (SessionUpdated(now.by, auto_approval=setting),)
        case _ as never:
            assert_never(never)


def _not_busy(history: History, now: Situation) -> None:
    if history.open_turn is not None or now.compacting:
        raise Refused("busy", "The session is busy. Wait until it is idle, or stop it first.")
