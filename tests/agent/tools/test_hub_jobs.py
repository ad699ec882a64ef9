"""hf_jobs on the tests' own Hub, through the real library."""

import asyncio
import base64
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from agent.errors import Problem
from agent.tools.hub_client import Hub
from agent.tools.hub_jobs import Jobs
from agent.tools.job_log import JobLog
from agent.tools.job_prices import FRESH, SOON, Prices, seconds_of
from agent.tools.port import Stakes
from agent.tools.toolbox import Finished, Toolbox
from tests.agent.tools.calls import Calls
from tests.agent.tools.hub_scene import Mine
from tests.fakes.hub.jobs import FakeJob
from tests.fakes.hub.server import ADA, FakeHub


class Tool:
    """`await tool(operation="ps")`, as ada, or as `token` says."""

    def __init__(self, fake: FakeHub, calls: Calls, executor: ThreadPoolExecutor, home: Path):
        hub = Hub(fake.url, home)
        self.fake = fake
        self.jobs = Jobs(hub, JobLog(fake.url), Prices(hub), quiet=1)
        self.calls = calls
        self.toolbox = Toolbox([self.jobs], executor)

    async def __call__(self, *, token: str | None = ADA, **arguments: object) -> Finished:
        call = msgspec.structs.replace(self.calls("c1"), keys=Mine(token))
        return await self.toolbox.call("hf_jobs", arguments, call)

    async def says(self, **arguments: Any) -> str:
        finished = await self(**arguments)
        assert finished.status == "ok", finished.output
        return finished.output

    async def fails(self, **arguments: Any) -> str:
        finished = await self(**arguments)
        assert finished.status == "error", finished.output
        assert finished.job is None
        return finished.output

    async def started(self, **arguments: object) -> FakeJob:
        await self.says(**{"operation": "run", "command": ["true"], **arguments})
        return self.fake.jobs.started[-1]

    def stakes(self, **arguments: object) -> Stakes:
        return self.jobs.stakes(msgspec.convert(arguments, self.jobs.arguments))


@pytest_asyncio.fixture
async def tool(calls: Calls, executor: ThreadPoolExecutor, tmp_path: Path) -> AsyncIterator[Tool]:
    async with FakeHub() as fake:
        yield Tool(fake, calls, executor, tmp_path / "hub")


async def test_a_script_is_sent_whole_with_what_it_needs(tool: Tool) -> None:
    done = await tool(
        operation="uv", script="import trl\n", dependencies=["trl", "a b"], title="Train: it!"
    )
    assert done.job is not None
    assert (done.job.job, done.job.title) == ("ada/job1", "Train: it!")
    assert "for $0.01 at most" in done.output
    asked = tool.fake.jobs.started[0].asked
    assert base64.b64decode(asked["environment"]["UV_SCRIPT"]) == b"import trl\n"
    assert asked["command"][3:] == ["bash", "--with", "trl", "--with", "a b"]
    assert asked["labels"] == {"name": "Train-it", "mooring-call": "c1"}
    assert (asked["flavor"], asked["timeoutSeconds"]) == ("cpu-basic", 1800)
    assert not asked.get("secrets")


async def test_a_command_is_run_where_it_is_told_to_and_pays_who_is_named(tool: Tool) -> None:
    job = await tool.started(
        command=["python", "-V"], namespace="lab", hardware="l4x1", env={"A": "b"}, image="ubuntu"
    )
    assert (job.handle, job.asked["flavor"]) == ("lab/job1", "l4x1")
    assert job.asked["environment"] == {"PYTHONUNBUFFERED": "1", "A": "b"}
    assert job.asked["dockerImage"] == "ubuntu"


async def test_the_users_token_goes_to_a_job_only_where_it_is_named(tool: Tool) -> None:
    job = await tool.started(secrets=["HF_TOKEN"])
    assert job.asked["secrets"] == {"HF_TOKEN": ADA}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"operation": "run"}, "The operation run needs: command."),
        ({"operation": "uv"}, "The operation uv needs: script."),
        ({"operation": "uv", "script": "train.py"}, "`script` takes the code itself"),
        ({"operation": "uv", "script": "1", "command": ["true"]}, "a script or a command"),
        ({"operation": "run", "command": [" "]}, "`command` names no program."),
        ({"operation": "run", "command": ["x"], "timeout": "soon"}, "no time such as 90s"),
        (
            {"operation": "run", "command": ["x"], "secrets": ["AWS"]},
            "The user has no secret AWS. There are: HF_TOKEN.",
        ),
        ({"operation": "run", "command": ["x"], "hardware": "warp"}, "No such flavor: warp"),
        ({"operation": "run", "command": ["x"], "namespace": "bob"}, "may not do this"),
        ({"operation": "logs"}, "The operation logs needs: job_id."),
        ({"operation": "cancel", "job_id": "nine"}, "The Hub has nothing there"),
        ({"operation": "schedule", "command": ["x"]}, "The operation schedule needs: schedule."),
        ({"operation": "ps", "token": None}, "has given no Hugging Face token"),
    ],
)
async def test_what_cannot_be_done_is_told_with_a_way_out(
    tool: Tool, arguments: dict[str, Any], says: str
) -> None:
    assert says in await tool.fails(**arguments)
    assert tool.fake.jobs.started == []


@pytest.mark.parametrize("how", [503, "cut"])
async def test_a_start_whose_answer_is_lost_is_not_tried_twice(tool: Tool, how: Any) -> None:
    tool.fake.fail("^/api/jobs/ada$", how, method="POST")
    said = await tool.fails(operation="run", command=["true"])
    assert "Look with ps for the label mooring-call=c1 first." in said
    assert tool.fake.paths("POST") == ["/api/jobs/ada"]


async def test_jobs_are_listed_and_inspected(tool: Tool) -> None:
    assert await tool.says(operation="ps") == "ada has no jobs."
    job = await tool.started()
    job.end("ERROR", "Out of memory", 90)
    listed = await tool.says(operation="ps")
    assert "- ada/job1 error, cpu-basic, made 2026-11-01 00:00 (mooring-call=c1" in listed
    for id in ("job1", "ada/job1"):
        assert "ran 90 s" in await tool.says(operation="inspect", job_id=id)
    assert "Out of memory" in await tool.says(operation="inspect", job_id="job1")


async def test_the_log_of_a_job_that_goes_on_is_shown_as_far_as_it_is(tool: Tool) -> None:
    job = await tool.started()
    assert await tool.says(operation="logs", job_id="job1") == "It has printed nothing yet."
    job.print("one", "two", "three")
    async with asyncio.timeout(60):  # what is slow to come is taken for quiet
        while await tool.says(operation="logs", job_id="job1", lines=2) != "two\nthree":
            pass
    tool.fake.fail("/logs$", 500)
    assert "status 500" in await tool.fails(operation="logs", job_id="job1")


async def test_a_job_is_cancelled_by_name(tool: Tool) -> None:
    job = await tool.started()
    assert "Asked the Hub to stop ada/job1" in await tool.says(operation="cancel", job_id="job1")
    assert job.stage == "CANCELED"


async def test_a_schedule_is_made_looked_at_paused_and_deleted(tool: Tool) -> None:
    assert "has no scheduled jobs" in await tool.says(operation="scheduled_ps")
    made = await tool.says(operation="schedule", command=["true"], schedule="@daily", title="Tidy")
    assert made.startswith("Scheduled ada/plan1 @daily on cpu-basic (Tidy), next at 2026-11-01")
    await tool.says(operation="scheduled_suspend", job_id="plan1")
    assert "suspended" in await tool.says(operation="scheduled_inspect", job_id="ada/plan1")
    await tool.says(operation="scheduled_resume", job_id="plan1")
    assert "suspended" not in await tool.says(operation="scheduled_ps")
    await tool.says(operation="scheduled_delete", job_id="plan1")
    assert tool.fake.jobs.schedules == {}


@pytest.mark.parametrize(
    ("arguments", "stakes"),
    [
        ({"operation": "run", "hardware": "a10g-small", "timeout": "2h"}, Stakes("spend", 2.0)),
        ({"operation": "uv"}, Stakes("spend", 0.005)),
        ({"operation": "uv", "hardware": "warp"}, Stakes("spend")),
        ({"operation": "uv", "timeout": "soon"}, Stakes("spend")),
        ({"operation": "schedule"}, Stakes("spend")),
        ({"operation": "scheduled_resume"}, Stakes("spend")),
        ({"operation": "scheduled_delete"}, Stakes("publish")),
        ({"operation": "cancel"}, Stakes("execute")),
        ({"operation": "logs"}, Stakes("read")),
    ],
)
async def test_what_is_at_stake_goes_by_the_operation(
    tool: Tool, arguments: dict[str, Any], stakes: Stakes
) -> None:
    assert tool.stakes(**arguments) == stakes


async def test_prices_are_the_hubs_as_soon_as_it_named_them(tool: Tool) -> None:
    assert tool.stakes(operation="uv", hardware="a10g-small", timeout="1h").cost_usd == 1.0
    await tool.says(operation="ps")
    assert tool.stakes(operation="uv", hardware="a10g-small", timeout="1h").cost_usd == 1.2
    await tool.says(operation="ps")
    assert tool.fake.paths("GET").count("/api/jobs/hardware") == 1


async def test_prices_are_asked_for_before_a_person_is_asked(tool: Tool) -> None:
    await tool.toolbox.learn(["bash", "hf_jobs", "hf_jobs"], Mine(ADA))
    stakes = tool.toolbox.stakes("hf_jobs", {"operation": "uv", "hardware": "a10g-small"})
    assert (stakes, tool.fake.paths("GET")) == (Stakes("spend", 0.6), ["/api/jobs/hardware"])


async def test_a_hub_that_names_no_prices_is_not_asked_again_at_once(
    tool: Tool, tmp_path: Path
) -> None:
    now = [0.0]
    prices = Prices(Hub(tool.fake.url, tmp_path), clock=lambda: now[0])
    fault = tool.fake.fail("hardware", 503)
    for now[0], asked in ((0, 1), (SOON / 2, 1), (SOON, 2)):
        await prices.refresh(Mine(ADA))
        assert len(tool.fake.asked) == asked
    assert prices.cost("a10g-small", 3600) == 1.0, "as it was when this was written"
    fault.times = 0
    for now[0], asked in ((SOON * 2, 3), (SOON * 2 + FRESH / 2, 3), (SOON * 2 + FRESH, 4)):
        await prices.refresh(Mine(ADA))
        assert (len(tool.fake.asked), prices.cost("a10g-small", 3600)) == (asked, 1.2)


@pytest.mark.parametrize(
    ("span", "seconds"), [("90", 90), ("90s", 90), ("1.5h", 5400), ("30m", 1800), ("1d", 86400)]
)
def test_a_span_in_seconds(span: str, seconds: float) -> None:
    assert seconds_of(span) == seconds


def test_what_is_no_span() -> None:
    with pytest.raises(Problem, match="no time such as"):
        seconds_of("-5m")
