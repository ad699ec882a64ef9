"""A job followed to its end, through cuts, refusals and silence."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from agent.tools.hub_client import Hub
from agent.tools.job_log import JobLog
from agent.tools.job_port import JobEnd
from agent.tools.job_prices import Prices
from agent.tools.job_watch import HubJobs, Patience
from tests.agent.tools.hub_scene import Mine
from tests.fakes.hub.jobs import FakeJob
from tests.fakes.hub.server import ADA, FakeHub

EAGER = Patience(first=0.02, longest=0.05, refused=0, silent=0, last_words=5)


class Scene:
    """A job that runs, and somebody who follows it."""

    def __init__(self, fake: FakeHub, home: Path) -> None:
        self.fake = fake
        self.shown = ""
        self.changed = asyncio.Event()
        self._home = home
        asked = {"command": ["true"], "environment": {}, "flavor": "a10g-small"}
        self.job = FakeJob("job1", "ada", asked)
        fake.jobs.started.append(self.job)

    def show(self, text: str) -> None:
        self.shown += text
        self.changed.set()

    async def until(self, text: str) -> None:
        async with asyncio.timeout(30):
            while text not in self.shown:
                self.changed.clear()
                await self.changed.wait()

    def follow(
        self, patience: Patience = EAGER, *, token: str | None = ADA, silence: float = 30
    ) -> asyncio.Task[JobEnd]:
        hub = Hub(self.fake.url, self._home)
        log = JobLog(self.fake.url, silence=silence)
        watch = HubJobs(hub, log, Prices(hub), patience=patience)
        return asyncio.create_task(watch.follow("ada/job1", Mine(token), self.show))


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with FakeHub() as fake:
        yield Scene(fake, tmp_path / "hub")


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        ("COMPLETED", "ok"),
        ("ERROR", "error"),
        ("CANCELED", "cancelled"),
        ("DELETED", "unknown"),
    ],
)
async def test_the_end_says_how_it_went_and_what_it_cost(
    scene: Scene, stage: str, status: str
) -> None:
    following = scene.follow()
    scene.job.print("loss 0.1")
    await scene.until("loss 0.1\n")
    scene.job.end(stage, "It says so", seconds=1800)
    end = await following
    assert (end.status, end.seconds, end.cost_usd) == (status, 1800, 0.6)
    assert end.output == "The Hub says: It says so\nloss 0.1\n"
    assert end.url is not None
    assert end.url.endswith("/jobs/ada/job1")


async def test_of_a_long_log_the_end_is_kept_and_all_of_it_shown_once(scene: Scene) -> None:
    following = scene.follow()
    lines = [f"line {number} " + "." * 90 for number in range(200)]
    for part in range(0, 200, 50):
        scene.job.print(*lines[part : part + 50])
        await scene.until(lines[part + 49])
        scene.job.cut()
    scene.job.end()
    end = await following
    assert scene.shown.splitlines() == lines
    assert len(end.output) <= 4_000
    assert end.output.endswith(f"{lines[-1]}\n")


async def test_a_log_that_falls_silent_is_read_again(scene: Scene) -> None:
    following = scene.follow(silence=0.2)
    scene.job.print("one")
    await scene.until("one\n")
    scene.job.print("two")
    await scene.until("two\n")
    scene.job.end()
    assert (await following).output == "one\ntwo\n"


async def test_a_log_that_cannot_be_read_hides_no_end(scene: Scene) -> None:
    scene.fake.fail("/logs$", 500)
    following = scene.follow()
    scene.job.end()
    assert await following == JobEnd("ok", "", 60.0, 0.02, f"{scene.fake.url}/jobs/ada/job1")


async def test_what_prints_no_events_is_passed_over(scene: Scene) -> None:
    scene.fake.fail("/logs$", "garbage", times=1)
    following = scene.follow()
    scene.job.print("x" * 200_000, "after")
    await scene.until("after\n")
    scene.job.end()
    assert (await following).status == "ok"


@pytest.mark.parametrize("how", [401, 403, 404, 500])
async def test_who_is_told_nothing_for_too_long_gives_up(scene: Scene, how: int) -> None:
    scene.fake.fail("/api/jobs/ada/job1$", how)
    end = await scene.follow()
    assert end.status == "unknown"
    assert end.output.startswith("Nobody can tell what became of it: ")


async def test_without_a_token_it_is_unknown_in_the_end(scene: Scene) -> None:
    assert (await scene.follow(token=None)).status == "unknown"


async def test_a_short_absence_is_waited_for(scene: Scene) -> None:
    away = scene.fake.fail("/api/jobs/", 503, times=4)
    patient = Patience(first=0.02, longest=0.05, last_words=5)
    following = scene.follow(patient)
    await away.met.wait()
    scene.job.end()
    assert (await following).status == "ok"


async def test_who_no_longer_follows_leaves_the_job_alone(scene: Scene) -> None:
    following = scene.follow()
    scene.job.print("one")
    await scene.until("one\n")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert scene.job.stage == "RUNNING"
    assert scene.fake.paths("POST") == []
