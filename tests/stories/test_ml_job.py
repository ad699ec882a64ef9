"""Whole ML jobs, from the first look at the data to what is published of them, event by event."""

import json
from collections.abc import AsyncIterator, Sequence

import pytest_asyncio

from tests.client import Viewer
from tests.fakes.hub.jobs import FakeJob
from tests.fakes.hub.server import ADA, FakeHub
from tests.model_server import CallScript, Reply
from tests.oracle import Frame
from tests.stories import reviews
from tests.stories.conftest import NewStory
from tests.stories.reviews import DATASET, LAUNCH, NET, PAPER, TRAIN, plan
from tests.stories.scene import Story, bash, calls, rule, shown, spoken, told

INSPECT = CallScript("hf_inspect_dataset", {"dataset": DATASET})
RESEARCH = CallScript("research", {"task": "How are reviews told apart?", "context": "Two labels."})
LOOK_UP = (
    CallScript("hf_papers", {"operation": "search", "query": "reviews"}),
    CallScript("hf_docs", {"operation": "explore", "query": "load", "library": "datasets"}),
)
READ = CallScript("hf_papers", {"operation": "read", "id": PAPER, "section": "Recipe"})
WRITE = CallScript("write", {"path": "train.py", "content": TRAIN})
RECIPE = "Logistic regression on words, learning rate 0.5 (arXiv 2305.18290, section 3)."
WATCH = CallScript("hf_jobs", {"operation": "inspect", "job_id": "job1"})
UPLOAD = CallScript(
    "hf_repo_files",
    {"operation": "upload", "repo_id": NET, "path": "README.md", "file": "README.md"},
)
EDITED = TRAIN.replace("EPOCHS = 3", "EPOCHS = 5")
CREATE = CallScript("hf_repo_git", {"operation": "create_repo", "repo_id": NET})
CALL = ("assistant_message", "tool_call", "tool_started", "tool_output")
ASKED = (*CALL[:2], "approval_required", "approval_resolved", *CALL[2:])
PLANNED = (*CALL[:3], "plan_updated", CALL[3])


@pytest_asyncio.fixture(loop_scope="session")
async def hub() -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub:
        reviews.put(hub)
        yield hub


async def of_ada(alone: NewStory, hub: FakeHub, **config: object) -> tuple[Story, Viewer]:
    """Ada has a server of her own: the token of its environment is hers."""
    story = await alone({"hub": hub.config, **config}, environment={"HF_TOKEN": ADA})
    _, viewer = await story.begin(title="Reviews")
    return story, viewer


def job(**changed: object) -> CallScript:
    return CallScript("hf_jobs", {**LAUNCH, **changed})


def outputs(viewer: Viewer, tool: str) -> list[Frame]:
    """What came of the calls of one tool, in their order."""
    whose = {event["call"]: event["tool"] for event in viewer.of("tool_call")}
    return [event for event in viewer.of("tool_output") if whose[event["call"]] == tool]


async def decide(viewer: Viewer, question: Frame, *decisions: Frame) -> None:
    """One ruling on each call of a question, in their order."""
    named = zip(question["calls"], decisions, strict=True)
    await viewer.accepted(
        "approval", decisions=[rule(call["call"], **decision) for call, decision in named]
    )


def since(viewer: Viewer, event: Frame) -> Sequence[Frame]:
    return [later for later in viewer.events if later["seq"] >= event["seq"]]


async def test_from_the_data_to_the_published_model(alone: NewStory, hub: FakeHub) -> None:
    story, viewer = await of_ada(alone, hub)
    job = await prepared_and_launched(story, viewer, hub)
    assert (job.script, job.asked["secrets"]) == (EDITED, {"HF_TOKEN": ADA})
    assert await job.work() == 0
    await viewer.shows("epoch 5 of 5", "log")
    await published(story, viewer, job)

    repo = hub.repos.all["model", NET]
    assert repo.refs["main"]["README.md"].decode() == reviews.card(job.printed[-1])
    assert (repo.private, hub.commits.messages) == (True, ["Upload README.md"])
    assert hub.tokens == {f"Bearer {ADA}", None}, "the docs are asked without a token"
    assert [item["status"] for item in viewer.of("plan_updated")[-1]["items"]] == ["completed"] * 4
    assert ADA not in json.dumps(viewer.frames)
    late = await story.join(viewer.session)
    assert late.events == viewer.events


async def prepared_and_launched(story: Story, viewer: Viewer, hub: FakeHub) -> FakeJob:
    """The first turn: data, recipe, script, a short run, a repository, an edited job."""
    story.model.play(
        calls(plan("in_progress", *["pending"] * 3), text="First the data."),
        calls(INSPECT),
        calls(RESEARCH),
        calls(*LOOK_UP),
        calls(READ),
        Reply(text=RECIPE),
        calls(WRITE),
        calls(bash(reviews.SMOKE)),
        calls(CREATE),
    )
    await viewer.say(f"Train a net on {DATASET} and publish it as {NET}")
    question = await viewer.until("approval_required")
    assert hub.paths("POST") == [], "nothing is changed before a person has ruled"

    story.model.play(calls(job(), text="The short run went well. May I?"))
    await decide(viewer, question, {"decision": "approve"})
    question = await viewer.until("approval_required")
    [launch] = question["calls"]
    assert launch["estimated_cost_usd"] == 0.6, "1.20 dollars an hour, as the Hub says"
    assert hub.jobs.started == [], "nothing is paid for before a person has ruled"

    story.model.play(calls(plan("completed", "completed", "in_progress", "pending")))
    story.model.play(Reply(text="It trains. I shall hear of its end."))
    await decide(
        viewer, question, {"decision": "approve", "arguments": {**LAUNCH, "script": EDITED}}
    )
    ended = await viewer.until("turn_ended")
    assert ended["status"] == "completed"
    assert told(viewer.events)[1:] == [
        *("user_message", "turn_started"),
        *PLANNED,
        *CALL,
        *("assistant_message", "tool_call", "tool_started", *["step"] * 3, "tool_output"),
        *(*CALL, *CALL),
        *ASKED,
        *(*ASKED, "job_started"),
        *PLANNED,
        *("assistant_message", "turn_ended"),
    ]
    await looked_at(story, viewer)
    return hub.jobs.started[0]


async def looked_at(story: Story, viewer: Viewer) -> None:
    """What the first turn's calls found is what the model was shown of it."""
    [inspected] = outputs(viewer, "hf_inspect_dataset")
    [research] = outputs(viewer, "research")
    [smoke] = outputs(viewer, "bash")
    assert "- review: string\n- label: label (neg, pos)" in inspected["output"]
    assert "n_unique 2, pos: 520; neg: 480" in inspected["output"]
    assert research["output"].endswith(RECIPE)
    first, second, last = viewer.of("step")
    assert {first["tool"], second["tool"]} == {"hf_papers", "hf_docs"}
    assert "learning rate 0.5" in last["output"]
    assert (smoke["status"], smoke["output"]) == ("ok", "epoch 1 of 1: loss 0.6931\n")
    for output in (inspected, research, smoke):
        assert spoken(output["output"]) in shown(story.model.requests[-1])


async def published(story: Story, viewer: Viewer, job: FakeJob) -> None:
    """The second turn: the job's end wakes the agent, which publishes a card for what it saw."""
    write = CallScript("write", {"path": "README.md", "content": reviews.card(job.printed[-1])})
    story.model.play(calls(WATCH), calls(write), calls(UPLOAD))
    job.end(seconds=600)
    ended = await viewer.until("job_ended")
    assert (ended["status"], ended["cost_usd"]) == ("ok", 0.2)
    question = await viewer.until("approval_required")
    story.model.play(calls(plan(*["completed"] * 4)), Reply(text="It is published."))
    await decide(viewer, question, {"decision": "approve"})
    await viewer.until("turn_ended")
    assert told(since(viewer, ended)) == [
        *("job_ended", "turn_started", "notice"),
        *(*CALL, *CALL),
        *ASKED,
        *PLANNED,
        *("assistant_message", "turn_ended"),
    ]
    assert job.printed[-1] in shown(story.model.requests[-5]), "the end comes with its last words"
    assert (
        f"{job.handle} completed, a10g-small, ran 600 s" in outputs(viewer, "hf_jobs")[-1]["output"]
    )


async def test_who_finds_a_job_too_dear_says_so_and_gets_another_offer(
    alone: NewStory, hub: FakeHub
) -> None:
    story, viewer = await of_ada(alone, hub)
    story.model.play(calls(job(hardware="l4x1", timeout="10h")))
    await viewer.say("Train")
    dear = await viewer.until("approval_required")
    assert dear["calls"][0]["estimated_cost_usd"] == 7.8

    cheap = job(hardware="cpu-basic", timeout="1h")
    story.model.play(calls(cheap, text="Then on a CPU."), Reply(text="It runs."))
    await decide(viewer, dear, {"decision": "reject", "feedback": "A CPU will do."})
    question = await viewer.until("approval_required")
    assert question["calls"][0]["estimated_cost_usd"] == 0.012
    assert viewer.of("tool_output")[0]["status"] == "rejected"
    assert "They said: A CPU will do." in shown(story.model.requests[-1])
    assert hub.jobs.started == []
    await decide(viewer, question, {"decision": "approve", "remember": "session"})
    await viewer.until("turn_ended")
    assert [one.asked["flavor"] for one in hub.jobs.started] == ["cpu-basic"]
    assert [event["estimated_cost_usd"] for event in viewer.of("job_started")] == [0.012]


async def test_a_column_that_is_not_there_is_noticed_before_anything_is_paid_for(
    alone: NewStory, hub: FakeHub
) -> None:
    story, viewer = await of_ada(alone, hub)
    wrong = TRAIN.replace('row["review"]', 'row["text"]')
    read = CallScript("read", {"path": "train.py"})
    mend = {"path": "train.py", "old": 'row["text"]', "new": 'row["review"]'}
    story.model.play(
        calls(CallScript("write", {"path": "train.py", "content": wrong})),
        calls(bash(reviews.SMOKE)),
        calls(INSPECT, read),
        calls(CallScript("edit", mend)),
        calls(bash(reviews.SMOKE)),
    )
    await story.turn(viewer, "Train", Reply(text="It was called `review`."))
    failed, went_well = outputs(viewer, "bash")
    assert failed["status"] == "error"
    assert failed["output"].endswith("KeyError: 'text'\n[exit code 1]")
    assert "- review: string" in outputs(viewer, "hf_inspect_dataset")[0]["output"]
    assert (went_well["status"], went_well["output"]) == ("ok", "epoch 1 of 1: loss 0.6931\n")
    assert viewer.of("approval_required") == []
    assert hub.paths("POST") == []


async def test_a_job_that_fails_is_mended_and_asked_for_again(
    alone: NewStory, hub: FakeHub
) -> None:
    story, viewer = await of_ada(alone, hub)
    broken = TRAIN.replace("0.5 *", "0.5 / 0 *")
    story.model.play(calls(job(script=broken)), Reply(text="It runs."))
    await viewer.say("Train")
    question = await viewer.until("approval_required")
    await decide(viewer, question, {"decision": "approve", "remember": "session"})
    await viewer.until("turn_ended")

    story.model.play(calls(job(), text="A division by zero. Again?"))
    first = hub.jobs.started[0]
    assert await first.work() == 1
    first.end("ERROR", "Job failed with exit code: 1")
    ended = await viewer.until("job_ended", status="error")
    assert "ZeroDivisionError" in ended["output"]
    question = await viewer.until("approval_required")
    assert "ZeroDivisionError" in shown(story.model.requests[-1])
    assert len(hub.jobs.started) == 1, "what a job costs is asked for each time"

    story.model.play(Reply(text="It runs."), Reply(text="It is trained."))
    await decide(viewer, question, {"decision": "approve"})
    await viewer.until("turn_ended")
    second = hub.jobs.started[1]
    assert (await second.work(), second.script) == (0, TRAIN)
    second.end()
    assert (await viewer.until("job_ended"))["status"] == "ok"
    await viewer.until("turn_ended", status="completed")
