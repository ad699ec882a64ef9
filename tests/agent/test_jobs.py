from agent.jobs import Job, Jobs
from agent.protocol import JobEnded, JobStarted

FIRST, SECOND = JobStarted("t1", "c1", "ada/j1", "one"), JobStarted("t1", "c2", "ada/j2", "two")
END = JobEnded("ada/j1", "ok", "Bye.", 60.0)


def test_a_job_goes_on_until_its_end_is_known() -> None:
    jobs = Jobs()
    for event in (FIRST, SECOND, END):
        jobs.take(event)
    assert jobs.open == (Job(SECOND),)
    assert jobs.ended == (Job(FIRST, END),)


def test_without_a_job_there_is_none_to_wait_for() -> None:
    assert (Jobs().open, Jobs().ended) == ((), ())
