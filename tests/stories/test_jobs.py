"""Background jobs: started with a price, followed whatever happens, and heard of when they end."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest_asyncio

from tests.client import Viewer
from tests.fakes.hub.jobs import FakeJob
from tests.fakes.hub.server import ADA, FakeHub
from tests.model_server import CallScript, Gate, Reply
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, calls, rule, shown, told
from tests.stories.test_schema import objections, validator

TRAIN: Frame = {
    "operation": "uv",
    "script": "print('epoch 1')\n",
    "dependencies": ["trl"],
    "title": "Train it",
    "hardware": "a10g-small",
    "timeout": "1h",
}
IT_RUNS = Reply(text="It runs.")
WOKEN = ["job_ended", "turn_started", "notice", "assistant_message", "turn_ended"]


@pytest_asyncio.fixture(loop_scope="session")
async def hub() -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub:
        yield hub


async def of_ada(alone: NewStory, hub: FakeHub, **config: object) -> Story:
    """Ada has a server of her own: the token of its environment is hers."""
    return await alone({"hub": hub.config, **config}, environment={"HF_TOKEN": ADA})


async def launch(
    story: Story, viewer: Viewer, after: Sequence[Reply] = (IT_RUNS,), **edited: object
) -> str:
    """A turn that starts a job, approved; the question's call."""
    story.model.play(calls(CallScript("hf_jobs", TRAIN)), *after)
    await viewer.say("Train")
    asked = (await viewer.until("approval_required"))["calls"][0]
    await viewer.accepted("approval", decisions=[rule(asked["call"], "approve", **edited)])
    return str(asked["call"])


async def started(story: Story, viewer: Viewer, hub: FakeHub) -> FakeJob:
    await launch(story, viewer)
    await viewer.until("turn_ended")
    return hub.jobs.started[-1]


async def test_a_job_runs_in_the_background_and_its_end_wakes_the_agent(
    alone: NewStory, hub: FakeHub
) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    script = "print('epoch 2')\n"
    call = await launch(story, viewer, arguments={**TRAIN, "script": script})
    await viewer.until("turn_ended")
    [question] = viewer.of("approval_required")[0]["calls"]
    assert question["estimated_cost_usd"] == 1.2
    job = hub.jobs.started[0]
    assert job.asked["flavor"] == "a10g-small"
    assert job.asked["labels"]["mooring-call"] == call
    [begun] = viewer.of("job_started")
    assert (begun["job"], begun["title"], begun["call"]) == (job.handle, "Train it", call)
    job.print("loss 0.5", "loss 0.1")
    await viewer.shows("loss 0.1\n", "log")
    story.model.play(Reply(text="It is done."))
    job.end(seconds=1800)
    ended = await viewer.until("job_ended")
    assert (ended["status"], ended["output"]) == ("ok", "loss 0.5\nloss 0.1\n")
    assert (ended["seconds"], ended["cost_usd"]) == (1800, 0.6)
    await viewer.until("turn_ended")
    assert told(e for e in viewer.events if e["seq"] >= ended["seq"])[:5] == WOKEN
    assert "loss 0.1" in shown(story.model.requests[-1])
    assert objections(await validator(story), viewer.frames) == []
    assert hub.tokens == {f"Bearer {ADA}"}


async def test_the_end_is_heard_of_after_a_power_failure_too(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    session, viewer = await story.begin()
    job = await started(story, viewer, hub)
    await story.server.kill9()
    job.print("loss 0.1")
    job.end("ERROR", "Out of memory")
    story.model.play(Reply(text="It failed."))
    await story.server.start()
    await story.connect()
    back = await story.join(session)
    ended = await back.until("job_ended")
    assert (ended["status"], ended["output"]) == (
        "error",
        "The Hub says: Out of memory\nloss 0.1\n",
    )
    await back.until("turn_ended")
    assert len(hub.jobs.started) == 1


async def test_between_the_hubs_acceptance_and_the_commit_the_call_is_unknown(
    alone: NewStory, hub: FakeHub
) -> None:
    story = await of_ada(alone, hub)
    session, viewer = await story.begin()
    hub.jobs.hold = asyncio.Event()
    call = await launch(story, viewer, ())
    await hub.jobs.arrived.wait()
    await viewer.shows(f"mooring-call={call}.\n", "log")
    await story.restart()
    back = await story.join(session)
    [output] = back.of("tool_output")
    assert output["status"] == "unknown"
    assert back.of("job_started") == []
    assert len(hub.jobs.started) == 1
    hub.jobs.hold.set()
    ps = calls(CallScript("hf_jobs", {"operation": "ps"}))
    await story.turn(back, "Go on", ps, Reply(text="There it is."))
    assert "Outcome unknown" in shown(story.model.requests[-2])
    assert f"mooring-call={call}" in back.of("tool_output")[-1]["output"]


async def test_stopping_the_agent_leaves_the_job_alone(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    await launch(story, viewer, [Reply(text="Well", hold={"start": Gate()})])
    await viewer.until("job_started")
    await story.model.request_arrived(2)  # or "Well" would be said to the next turn, and held
    await viewer.accepted("interrupt")
    await viewer.until("turn_ended")
    hub.jobs.started[0].end()
    ended = await viewer.until("job_ended")
    assert hub.jobs.started[0].stage == "COMPLETED"
    await story.turn(viewer, "And now?", Reply(text="It is over."))
    after = [e for e in viewer.events if e["seq"] > ended["seq"]]
    assert told(after)[:3] == ["user_message", "turn_started", "notice"]


async def test_a_running_turn_asks_once_more_for_jobs_that_end_in_it(
    alone: NewStory, hub: FakeHub
) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    first, second = await started(story, viewer, hub), await started(story, viewer, hub)
    gate = Gate()
    story.model.play(Reply(text="Let me see", hold={"start": gate}), Reply(text="Both are over."))
    await viewer.say("How is it?")
    await story.model.request_arrived(5)  # behind two for each job
    first.end()
    await viewer.until("job_ended", job=first.handle)
    second.end("CANCELED")
    await viewer.until("job_ended", job=second.handle)
    gate.set()
    turn = viewer.of("turn_started")[-1]["turn"]
    ended = await viewer.until("turn_ended", turn=turn)
    assert ended["status"] == "completed"
    notes = [e["job"] for e in viewer.of("notice") if e["turn"] == turn]
    assert notes == [first.handle, second.handle]


async def test_a_woken_turn_is_retried_and_undone(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    job = await started(story, viewer, hub)
    story.model.play(Reply(text="Fine."), Reply(text="Finer."))
    job.end()
    woken = (await viewer.until("turn_started", submission=job.handle))["turn"]
    await viewer.until("turn_ended", turn=woken)
    answer = await viewer.accepted("retry")
    again = await viewer.until("turn_started", submission=answer["id"])
    await viewer.until("turn_ended", turn=again["turn"])
    assert [e["turn"] for e in viewer.of("notice")] == [woken, again["turn"]]
    await viewer.accepted("undo")
    assert (await viewer.until("turn_undone", turn=again["turn"]))["turn"] == again["turn"]


async def test_a_session_that_sleeps_is_woken(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub, hibernate_after_seconds=0.1)
    session, viewer = await story.begin()
    job = await started(story, viewer, hub)
    other = await story.join(await story.api.session())
    await story.turn(other, "Pass the time")
    await viewer.leave()
    story.model.play(Reply(text="Good."))
    job.print("slept")
    job.end()
    back = await story.join(session)
    ended = await back.until("job_ended")
    await back.until("turn_ended")
    assert ended["output"] == "slept\n"


async def test_a_hub_that_is_away_for_a_while_costs_nothing(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    job = await started(story, viewer, hub)
    job.print("one")
    await viewer.shows("one\n", "log")
    away = hub.fail("^/api/jobs/", 503, times=3)
    job.cut()
    await away.met.wait()
    job.print("two")
    await viewer.shows("one\ntwo\n", "log")
    story.model.play(Reply(text="Done."))
    job.end()
    assert (await viewer.until("job_ended"))["output"] == "one\ntwo\n"


async def test_the_agent_stops_a_job_by_asking_for_it(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    job = await started(story, viewer, hub)
    cancel = calls(CallScript("hf_jobs", {"operation": "cancel", "job_id": job.handle}))
    story.model.play(cancel, Reply(text="Stopped."), Reply(text="It was cancelled."))
    await viewer.say("Stop it")
    assert (await viewer.until("job_ended"))["status"] == "cancelled"
    assert len(viewer.of("approval_required")) == 1


async def test_a_schedule_is_never_approved_by_itself(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    await viewer.accepted("set_auto_approval", enabled=True)
    nightly = {**TRAIN, "operation": "schedule", "schedule": "@daily"}
    stop = {"operation": "scheduled_delete", "job_id": "plan1"}
    for asked, said in ((nightly, "Scheduled ada/plan1 @daily"), (stop, "Deleted the schedule")):
        story.model.play(calls(CallScript("hf_jobs", asked)), Reply(text="Done."))
        await viewer.say("Go")
        if asked is nightly:
            [question] = (await viewer.until("approval_required"))["calls"]
            assert "estimated_cost_usd" not in question
            assert hub.jobs.schedules == {}
            ruling = rule(question["call"], "approve", remember="session")
            await viewer.accepted("approval", decisions=[ruling])
        await viewer.until("turn_ended")
        assert said in viewer.of("tool_output")[-1]["output"]
    assert hub.jobs.schedules == {}
    assert viewer.of("job_started") == [], "what a schedule starts is not followed"
