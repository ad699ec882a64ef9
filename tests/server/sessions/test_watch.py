"""Jobs are followed from their commit to their end, whatever becomes of their session meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from msgspec import Struct

from agent.models.port import CallFragment, Text
from agent.protocol import Effect, JobId, Shutdown, UserInput
from agent.redaction import Redactor
from agent.tools.job_port import JobEnd
from agent.tools.port import Call, Keys, Launched, NoKeys, Outcome
from agent.tools.toolbox import Toolbox
from server.sessions.watch import Watch
from tests.server.sessions.house import ADA, House, Nothing, Said, eventually, eventually_kept

END = JobEnd("ok", "Bye.", 60.0, 0.5)


class Launch:
    """A tool that leaves a job behind."""

    name = "launch"
    description = "Launches."
    effect: Effect = "execute"
    arguments: type[Struct] = Nothing

    async def run(self, arguments: object, call: Call) -> Outcome:
        return Outcome("ok", "It runs.", job=Launched(f"ada/{call.id}", "a training"))


class FakeJobs:
    """Follows until the test says how it ended."""

    def __init__(self) -> None:
        self.open: dict[JobId, asyncio.Future[JobEnd]] = {}
        self.left: list[JobId] = []

    async def follow(self, job: JobId, keys: Keys, show: Callable[[str], None]) -> JobEnd:
        self.open[job] = asyncio.get_running_loop().create_future()
        show("epoch 1\n")
        try:
            return await self.open[job]
        except asyncio.CancelledError:
            self.left.append(job)
            raise
        finally:
            del self.open[job]

    def end(self) -> None:
        for ended in self.open.values():
            ended.set_result(END)


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def watched(home: House, jobs: FakeJobs) -> AsyncIterator[Watch]:
    watch = Watch(
        home.store,
        home.manager,
        jobs,
        lambda owner: NoKeys(),
        lambda owner: Redactor(),
        sleep=no_wait,
    )
    home.fleet.tell(watch)
    try:
        yield watch
    finally:
        await watch.close()


def launches() -> Said:
    return (CallFragment(0, "launch"), CallFragment(0, arguments="{}"))


async def started(home: House, jobs: FakeJobs) -> str:
    """A session at rest whose job goes on."""
    home.toolbox = Toolbox([Launch()], ThreadPoolExecutor(1))
    home.model.script += [launches(), [Text("It runs.")]]
    session = await home.session()
    await home.manager.submit(session, ADA, UserInput("u1", "Go"))
    await eventually(lambda: bool(jobs.open))
    await at_rest(home, session)
    return session


async def at_rest(home: House, session: str) -> None:
    actor = await home.manager.woken(session)
    await eventually(lambda: actor.resting)


async def test_the_end_of_a_job_is_recorded_and_wakes_the_agent(home: House) -> None:
    jobs = FakeJobs()
    async with watched(home, jobs):
        session = await started(home, jobs)
        assert (await home.stored(session)).indexed.jobs == 1
        home.model.script += [[Text("It is over.")]]
        jobs.end()
        await eventually(lambda: not jobs.open)
        await eventually_in_log(home, session, "job_ended")
        await at_rest(home, session)
        types = await home.types(session)
        assert types[types.index("job_ended") :][:4] == [
            "job_ended",
            "turn_started",
            "notice",
            "assistant_message",
        ]
        assert (await home.stored(session)).indexed.jobs == 0


async def eventually_in_log(home: House, session: str, kind: str) -> None:
    async def is_there() -> bool:
        return kind in await home.types(session)

    await eventually_kept(is_there)


async def test_a_new_server_goes_on_with_the_jobs_of_the_last(home: House) -> None:
    jobs, again = FakeJobs(), FakeJobs()
    async with watched(home, jobs):
        session = await started(home, jobs)
        [job] = jobs.open
    async with watched(home, again) as watch:
        await watch.begin()
        await eventually(lambda: [*again.open] == [job])
        home.model.script += [[Text("It is over.")]]
        again.end()
        await eventually_in_log(home, session, "job_ended")
    assert jobs.left == [job]


async def test_of_a_session_that_is_deleted_no_job_is_followed(home: House) -> None:
    jobs = FakeJobs()
    async with watched(home, jobs):
        session = await started(home, jobs)
        await home.archive.erase(session)
        await eventually(lambda: len(jobs.left) == 1)


async def test_of_a_session_that_has_ended_no_job_is_followed(home: House) -> None:
    jobs = FakeJobs()
    async with watched(home, jobs):
        session = await started(home, jobs)
        await home.manager.submit(session, ADA, Shutdown("bye"))
        await eventually(lambda: len(jobs.left) == 1)
        assert (await home.stored(session)).indexed.jobs == 0


async def test_a_commit_that_fails_is_tried_again(home: House) -> None:
    jobs = FakeJobs()
    async with watched(home, jobs):
        session = await started(home, jobs)
        home.model.script += [[Text("It is over.")]]
        before, home.store.mood = home.store.appends, "fails"
        jobs.end()
        await eventually(lambda: home.store.appends > before)
        home.store.mood = "well"
        await eventually_in_log(home, session, "job_ended")
        await at_rest(home, session)
    assert (await home.types(session)).count("job_ended") == 1
