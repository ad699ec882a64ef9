from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given

from agent.history import History
from agent.jobs import Job
from agent.protocol import AnyEvent, JobEnded, JobStarted, Notice, SessionEnded, TurnStarted
from agent.waking import begin_woken, hear, untold, words
from tests.agent import naive
from tests.agent.logs import Log, call
from tests.agent.play import Play, plays

END = JobEnded("ada/j1", "ok", "Bye.", 60.0)
SECOND = JobEnded("ada/j2", "error", "", 5.0)
RUNNING = Log().begin().run(call("c1", "hf_jobs")).job()
"""A turn that has started a job and goes on."""
RESTING = RUNNING.reply("It runs.").end()


def heard(log: Log, ended: JobEnded = END) -> Sequence[AnyEvent]:
    numbers = count(1)
    return hear(log.history, ended, lambda prefix: f"{prefix}-{next(numbers)}")


def told(log: Log) -> list[str]:
    return [job.started.job for job in untold(log.history)]


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(RESTING, id="its last turn was completed"),
        pytest.param(RESTING.begin("t2").end("failed"), id="or failed"),
        pytest.param(
            RESTING.begin("t2").end("interrupted", "server_restart"), id="or the server ended it"
        ),
        pytest.param(RESTING.talk("t2").begin("t3").end("interrupted").undo("t3"), id="undone"),
    ],
)
def test_a_session_at_rest_is_woken_in_the_commit_of_the_end(log: Log) -> None:
    end, started, note = heard(log)
    assert (end, started) == (END, TurnStarted("turn-1", "ada/j1", "m1"))
    assert isinstance(note, Notice)
    assert (note.code, note.turn, note.job) == ("job_ended", "turn-1", "ada/j1")


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(RUNNING, id="a turn runs, and asks once more"),
        pytest.param(RUNNING.reply("", call("c2")).ask("c2"), id="it waits for a ruling"),
        pytest.param(RUNNING.reply("So.").end("interrupted"), id="a person stopped it"),
        pytest.param(RUNNING.reply("So.").end("interrupted", "shutdown"), id="or shut it down"),
        pytest.param(RUNNING.reply("So.").end("limit", "tokens"), id="a limit stopped it"),
        pytest.param(RUNNING.queue("s2").end("failed"), id="input is held"),
        pytest.param(RESTING.undo("t1"), id="the turn that started it was undone"),
    ],
)
def test_otherwise_the_end_is_recorded_and_nobody_is_woken(log: Log) -> None:
    assert heard(log) == (END,)


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(RESTING.over(), id="it is known"),
        pytest.param(Log().talk("t1"), id="the job is not of this session"),
        pytest.param(RESTING.add(SessionEnded("shutdown")), id="the session has ended"),
    ],
)
def test_nothing_follows_from_an_end_that_nobody_waits_for(log: Log) -> None:
    assert heard(log) == ()


def test_one_end_wakes_with_all_that_the_model_was_not_told() -> None:
    log = RUNNING.job("ada/j2").over("ada/j2").end("interrupted").talk("t2")
    assert told(log) == ["ada/j2"]
    assert [e.job for e in heard(log)[2:] if isinstance(e, Notice)] == ["ada/j2", "ada/j1"]


def test_a_turn_that_is_undone_has_told_nothing() -> None:
    assert told(RESTING.over()) == ["ada/j1"]
    assert told(RESTING.over().woken()) == []
    assert told(RESTING.over().woken().end().undo("t2")) == ["ada/j1"]
    assert told(RESTING.over().undo("t1")) == []


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (
            JobEnded("ada/j1", "ok", "Loss 0.1", 60.0, 0.5),
            "The job ada/j1 (a training) was completed: 60 s, about $0.50."
            " The end of its log:\nLoss 0.1",
        ),
        (
            JobEnded("ada/j1", "error", "", 2.5),
            "The job ada/j1 (a training) failed: 2.5 s.",
        ),
        (
            JobEnded("ada/j1", "cancelled", "", 0.0),
            "The job ada/j1 (a training) was cancelled: 0 s.",
        ),
    ],
)
def test_the_model_is_told_how_it_ended_and_what_it_cost(end: JobEnded, says: str) -> None:
    assert words(Job(JobStarted("t1", "c1", "ada/j1", "a training"), end)) == says


def test_a_woken_turn_begins_with_the_notes() -> None:
    job = Job(JobStarted("t1", "c1", "ada/j1", "one"), END)
    log = RESTING.over().add(*begin_woken("t2", "s9", [job], "m1"))
    turn = log.history.open_turn
    assert turn is not None
    assert (turn.id, turn.submission, turn.message) == ("t2", "s9", None)
    assert (turn.started, turn.told) == (True, ["ada/j1"])


@given(plays(at_rest=True))
def test_whenever_a_job_ends_the_log_keeps_what_the_contract_says(play: Play) -> None:
    play.alone = True
    for job in [*play.history.jobs.known]:
        play.end_job(job)
        while play.works:
            play.work()
    events = [entry.event for entry in play.entries]
    assert naive.complaints(events) == []
    assert play.history.jobs.open == () or play.history.ended
    assert vars(play.history) == vars(History(play.entries))
