"""What follows from the end of a background job: the model is told, and woken where it rests."""

from collections.abc import Sequence
from typing import Literal

from agent.edges import NewId
from agent.history import History
from agent.jobs import Job
from agent.protocol import AnyEvent, JobEnded, Notice, SubmissionId, TurnId, TurnStarted

JOB_ENDED: Literal["job_ended"] = "job_ended"
"""The notice that tells the model of a job's end."""
HOW = {
    "ok": "was completed",
    "error": "failed",
    "cancelled": "was cancelled",
    "unknown": "cannot be followed any more",
}


def untold(history: History) -> tuple[Job, ...]:
    """Jobs that ended, whose turn counts, and of which the model was told in no turn that does."""
    if not (ended := history.jobs.ended):
        return ()
    told = {job for turn in history.counting for job in turn.told}
    turns = history.turns
    return tuple(j for j in ended if j.started.job not in told and not turns[j.started.turn].undone)


def words(job: Job) -> str:
    """What the model is told of a job that has ended."""
    started, end = job.started, job.end
    assert end is not None, "told of its end"
    cost = "" if end.cost_usd is None else f", about ${end.cost_usd:.2f}"
    head = f"The job {started.job} ({started.title}) {HOW[end.status]}: {end.seconds:g} s{cost}."
    return f"{head} The end of its log:\n{end.output}" if end.output else head


def hear(history: History, ended: JobEnded, new_id: NewId) -> tuple[AnyEvent, ...]:
    """The events of a job's end; none where it is known, or nobody waits for it any more.

    A session at rest is woken in the same commit, unless a person or a limit has stopped it.
    """
    job = history.jobs.known.get(ended.job)
    if history.ended or job is None or job.end is not None:
        return ()
    counts = not history.turns[job.started.turn].undone
    if not counts or not _wakes(history):
        return (ended,)
    jobs = (*untold(history), Job(job.started, ended))
    return (ended, *begin_woken(new_id("turn"), ended.job, jobs, history.model))


def begin_woken(
    turn: TurnId, submission: SubmissionId, jobs: Sequence[Job], model: str
) -> tuple[AnyEvent, ...]:
    """A turn that no message begins: its first word is that jobs have ended."""
    notes = (Notice(JOB_ENDED, words(j), turn, j.started.job) for j in jobs)
    return (TurnStarted(turn, submission, model), *notes)


def _wakes(history: History) -> bool:
    if history.state != "idle" or history.queue:
        return False
    last = history.last_turn
    assert last is not None, "a turn that counts has started the job"
    end = last.end
    assert end is not None, "an idle session has no open turn"
    return end.status in ("completed", "failed") or end.reason == "server_restart"
