"""The automaton: what an agent does next, as a function of its history."""

from typing import Literal

from msgspec import Struct

from agent.approval import Ask, Refuse, Rules
from agent.budget import Allowance, ran_out
from agent.edges import UNKNOWN
from agent.history import CallState, History, Queued, Turn
from agent.protocol import AssistantMessage, EndStatus, JobId, Notice, ToolOutput, TurnError
from agent.repetition import circling
from agent.waking import JOB_ENDED, untold, words

NUDGES = 2
"""How often a turn is reminded of its open plan."""
CORRECTIONS = 3
"""How often a turn is told that it goes in circles before it is ended."""
TRUNCATED = "truncated_output"
"""The notice after a reply whose calls were dropped because it ran into the output limit."""
COMPACT_ABOVE = 0.9
"""The part of the context window that may be used."""


class Note(Struct, frozen=True):
    """A notice for the model, to be recorded before it is asked."""

    code: Literal["repetition", "malformed_arguments", "plan_open", "job_ended"]
    text: str
    job: JobId | None = None


class AskModel(Struct, frozen=True):
    """Ask the model, after what joins the conversation first."""

    joining: tuple[Queued, ...] = ()
    notes: tuple[Note, ...] = ()


class RunTools(Struct, frozen=True):
    """Answer `refused` at once, without starting them; or run `calls` side by side."""

    calls: tuple[CallState, ...] = ()
    refused: tuple[tuple[CallState, Refuse], ...] = ()


class AskHuman(Struct, frozen=True):
    """Park the turn until a human has ruled; `questions` were not asked yet."""

    questions: tuple[tuple[CallState, Ask], ...] = ()


class Compact(Struct, frozen=True):
    """Make room before the next model call."""


class Finish(Struct, frozen=True):
    status: EndStatus = "completed"
    reason: str | None = None
    error: TurnError | None = None


NEVER_AGAIN = Refuse("unknown", UNKNOWN)
"""For a call that was started and whose result nobody knows: it is not run a second time."""

Step = AskModel | RunTools | AskHuman | Compact | Finish


class Limits(Struct, frozen=True):
    """What bounds a turn: its allowance and the model's context window in tokens."""

    allowance: Allowance
    context: int


def next_step(history: History, rules: Rules, limits: Limits) -> Step:
    """What the open turn does next."""
    turn = history.open_turn
    if turn is None:
        return Finish()
    if calls := turn.open_calls:
        return _answer_calls(calls, turn, rules, history)
    joining = history.steering()
    if _was_cut_short(turn) and not joining:
        return Finish("limit", "tokens")
    notes = (*_notes(turn, history), *_jobs_ended(history))
    if _is_answered(turn) and not joining and not notes:
        return Finish()
    if (reason := _limit(turn, notes, limits)) is not None:
        return Finish("limit", reason)
    if history.context_used > limits.context * COMPACT_ABOVE and not just_compacted(history, turn):
        return Compact()
    return AskModel(joining, notes)


def _limit(turn: Turn, notes: tuple[Note, ...], limits: Limits) -> str | None:
    """What the turn ran out of, before another model call."""
    if any(n.code == "repetition" for n in notes) and _told(turn, "repetition") >= CORRECTIONS:
        return "repetition"
    if _told(turn, TRUNCATED) >= CORRECTIONS:
        return "tokens"
    return ran_out(turn, limits.allowance)


def _answer_calls(
    calls: tuple[CallState, ...], turn: Turn, rules: Rules, history: History
) -> RunTools | AskHuman:
    verdicts = [
        (c, NEVER_AGAIN if c.started else rules.verdict(c, history))
        for c in calls
        if not c.is_waiting
    ]
    if refused := tuple((c, v) for c, v in verdicts if isinstance(v, Refuse)):
        return RunTools(refused=refused)
    if turn.waiting_calls:
        return AskHuman()
    if questions := tuple((c, v) for c, v in verdicts if isinstance(v, Ask)):
        return AskHuman(questions)
    return RunTools(tuple(c for c, _ in verdicts))


def _is_answered(turn: Turn) -> bool:
    """The last word is the model's: nothing came after it that asks for another."""
    return isinstance(turn.entries[-1].event, AssistantMessage)


def _was_cut_short(turn: Turn) -> bool:
    last = turn.entries[-1].event
    return isinstance(last, AssistantMessage) and last.partial


def just_compacted(history: History, turn: Turn) -> bool:
    """Compacting again before another reply would not help."""
    summary = history.summary
    said = [e.seq for e in turn.entries if isinstance(e.event, AssistantMessage)]
    return summary is not None and summary.seq > max(said, default=turn.began)


def _notes(turn: Turn, history: History) -> tuple[Note, ...]:
    last = turn.entries[-1].event
    if isinstance(last, ToolOutput):
        return _circling(turn) or _malformed_again(turn)
    if isinstance(last, AssistantMessage) and not history.jobs.open:
        return _plan_is_open(turn)  # while a job runs its end is what the plan waits for
    return ()


def _jobs_ended(history: History) -> tuple[Note, ...]:
    return tuple(Note(JOB_ENDED, words(j), j.started.job) for j in untold(history))


def _circling(turn: Turn) -> tuple[Note, ...]:
    if (what := circling(turn.calls.values())) is None:
        return ()
    return (Note("repetition", f"{what} Do something else, or say what you need."),)


def _malformed_again(turn: Turn) -> tuple[Note, ...]:
    last = list(turn.calls.values())[-2:]
    if len(last) < 2 or any(c.made.malformed is None for c in last):
        return ()
    first, second = (c.made.tool for c in last)
    if first != second:
        return ()
    text = (
        f"The arguments of {first} were not valid JSON twice in a row. "
        "Use smaller arguments or another tool."
    )
    return (Note("malformed_arguments", text),)


def _plan_is_open(turn: Turn) -> tuple[Note, ...]:
    rest = [i for i in turn.plan or () if i.status != "completed"]
    if not rest or _told(turn, "plan_open") >= NUDGES:
        return ()
    names = "; ".join(i.content for i in rest)
    text = f"Your plan has open items: {names}. Go on with them, or update the plan."
    return (Note("plan_open", text),)


def _told(turn: Turn, code: str) -> int:
    return sum(isinstance(e.event, Notice) and e.event.code == code for e in turn.entries)
