"""What a log amounts to, worked out anew from all of its events: slow, plain, and not a fold."""

from collections.abc import Sequence

from agent.history import State
from agent.protocol import (
    AnyEvent,
    ApprovalRequired,
    ApprovalResolved,
    CallId,
    InputQueued,
    InputWithdrawn,
    JobEnded,
    JobId,
    JobStarted,
    Notice,
    SessionEnded,
    SubmissionId,
    ToolCall,
    ToolOutput,
    ToolStarted,
    TurnEnded,
    TurnId,
    TurnStarted,
    TurnUndone,
    Usage,
    UserMessage,
)

Events = Sequence[AnyEvent]


def open_turns(events: Events) -> list[TurnId]:
    ended = {e.turn for e in events if isinstance(e, TurnEnded)}
    begun = dict.fromkeys(e.turn for e in events if isinstance(e, UserMessage | TurnStarted))
    return [turn for turn in begun if turn not in ended]


def unruled(events: Events) -> set[CallId]:
    """Calls a human was asked about that are neither ruled on nor answered."""
    asked = {q.call for e in events if isinstance(e, ApprovalRequired) for q in e.calls}
    ruled = {d.call for e in events if isinstance(e, ApprovalResolved) for d in e.decisions}
    return asked - ruled - {e.call for e in events if isinstance(e, ToolOutput)}


def state(events: Events) -> State:
    if any(isinstance(e, SessionEnded) for e in events):
        return "ended"
    if not open_turns(events):
        return "idle"
    return "awaiting_approval" if unruled(events) else "running"


def queue(events: Events) -> list[SubmissionId]:
    gone = {e.submission for e in events if isinstance(e, InputWithdrawn | UserMessage)}
    return [e.submission for e in events if isinstance(e, InputQueued) and e.submission not in gone]


def held(events: Events) -> bool:
    """Something held a queue, and since then it was never empty and none of it began."""
    queues = [queue(events[: n + 1]) for n in range(len(events))]
    return any(
        holds(event)
        and queues[at]
        and all(queues[at:])
        and not any(
            isinstance(later, UserMessage) and not later.steered and later.submission in waiting
            for later, waiting in zip(events[at + 1 :], queues[at:], strict=False)
        )
        for at, event in enumerate(events)
    )


def holds(event: AnyEvent) -> bool:
    match event:
        case TurnEnded(status="interrupted" | "failed" | "limit"):
            return event.reason != "superseded"
        case Notice(code="compaction_stopped"):
            return True
        case _:
            return False


def cost(events: Events) -> float | None:
    costs = [e.cost_usd for e in events if isinstance(e, Usage)]
    known = [c for c in costs if c is not None]
    return sum(known) if len(known) == len(costs) else None


def last_end(events: Events) -> TurnEnded | None:
    undone = {e.turn for e in events if isinstance(e, TurnUndone)}
    begun = [e.turn for e in events if isinstance(e, UserMessage | TurnStarted)]
    counting = [turn for turn in begun if turn not in undone]
    ends = [e for e in events if isinstance(e, TurnEnded) and e.turn in counting[-1:]]
    return ends[0] if ends else None


def complaints(events: Events) -> list[str]:
    """What the contract says of every log and this one breaks; an open turn may be the last."""
    broken = []
    undecided = open_turns(events)
    for turn in dict.fromkeys(e.turn for e in events if isinstance(e, UserMessage | TurnStarted)):
        starts = sum(isinstance(e, TurnStarted) and e.turn == turn for e in events)
        ends = sum(isinstance(e, TurnEnded) and e.turn == turn for e in events)
        if (starts, ends) != (1, 0 if turn in undecided else 1):
            broken.append(f"{turn} starts {starts} and ends {ends} times")
    if len(undecided) > 1:
        broken.append(f"open at once: {undecided}")
    return [
        *broken,
        *_calls_complaints(events, undecided),
        *_message_complaints(events),
        *_job_complaints(events),
    ]


def _calls_complaints(events: Events, undecided: list[TurnId]) -> list[str]:
    made = [(e.call, e.turn) for e in events if isinstance(e, ToolCall)]
    broken = []
    for call, turn in made:
        starts = sum(isinstance(e, ToolStarted) and e.call == call for e in events)
        outputs = sum(isinstance(e, ToolOutput) and e.call == call for e in events)
        if starts > 1 or outputs > 1 or (outputs == 0 and turn not in undecided):
            broken.append(f"{call} starts {starts} times and has {outputs} outputs")
    return broken


def _job_complaints(events: Events) -> list[str]:
    """Each ends at most once, and the model is told of that once in the turns that count."""
    undone = {e.turn for e in events if isinstance(e, TurnUndone)}
    started = [e.job for e in events if isinstance(e, JobStarted)]
    ended = [e.job for e in events if isinstance(e, JobEnded)]
    told = [e.job for e in events if isinstance(e, Notice) and e.job and e.turn not in undone]
    broken = [
        f"{job} {what} twice"
        for what, jobs in (("ended", ended), ("was told of", told))
        for job in set(jobs)
        if jobs.count(job) > 1
    ]
    broken += [f"{job} was not started" for job in ended if job not in started]
    return broken + [f"{job} has not ended" for job in told if job not in ended]


def untold(events: Events) -> list[JobId]:
    """Jobs that ended, of which the model was told in no turn that counts."""
    undone = {e.turn for e in events if isinstance(e, TurnUndone)}
    ended = {e.job for e in events if isinstance(e, JobEnded)}
    told = {e.job for e in events if isinstance(e, Notice) and e.turn not in undone}
    started = (e for e in events if isinstance(e, JobStarted) and e.turn not in undone)
    return [e.job for e in started if e.job in ended - told]


def open_jobs(events: Events) -> list[JobId]:
    ended = {e.job for e in events if isinstance(e, JobEnded)}
    return [e.job for e in events if isinstance(e, JobStarted) and e.job not in ended]


def _message_complaints(events: Events) -> list[str]:
    said = [e.submission for e in events if isinstance(e, UserMessage)]
    undone = [e.turn for e in events if isinstance(e, TurnUndone)]
    twice = [name for names in (said, undone) for name in set(names) if names.count(name) > 1]
    return [f"{name} counts twice" for name in twice]
