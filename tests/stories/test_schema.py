"""The schema that the server publishes: every frame of either side validates against it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.client import Viewer
from tests.model_server import CallScript, Gate, Reply
from tests.oracle import DURABLE, Frame
from tests.stories.scene import Story, bash, calls
from tests.stories.test_dashboard import Dashboard, dashboard

CLIENT: list[Frame] = [
    {"type": "user_input", "id": "c", "text": "Hello"},
    {"type": "user_input", "id": "c", "text": "x", "delivery": "steer", "attachments": ["a"]},
    {
        "type": "approval",
        "id": "c",
        "decisions": [
            {
                "call": "k",
                "decision": "approve",
                "feedback": "Good.",
                "arguments": {"command": "true"},
                "remember": "session",
            }
        ],
    },
    {"type": "answer", "id": "c", "question": "q", "action": "decline"},
    {"type": "answer", "id": "c", "question": "q", "action": "accept", "content": {"name": "A"}},
    {"type": "interrupt", "id": "c"},
    {"type": "interrupt", "id": "c", "turn": "t", "queue": "drop"},
    {"type": "resume", "id": "c"},
    {"type": "withdraw", "id": "c", "submission": "s"},
    {"type": "undo", "id": "c"},
    {"type": "retry", "id": "c"},
    {"type": "compact", "id": "c"},
    {"type": "set_model", "id": "c", "model": "demo"},
    {"type": "set_auto_approval", "id": "c", "enabled": True, "cost_cap_usd": 2.5},
    {"type": "shutdown", "id": "c"},
    {"type": "ping", "id": "c"},
]
WRONG: list[Frame] = [
    {"type": "teleport", "id": "c"},
    {"type": "ping"},
    {"type": "ping", "id": ""},
    {"type": "user_input", "id": "c"},
    {"type": "user_input", "id": "c", "text": 7},
    {"type": "interrupt", "id": "c", "queue": "later"},
    {"type": "turn_ended", "seq": 1},
]


async def validator(story: Story) -> Draft202012Validator:
    schema = await story.api.good("GET", "/api/schema.json")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def objections(judge: Draft202012Validator, frames: list[Frame]) -> list[str]:
    """What the schema says against them; of equal shapes one is judged."""
    shapes = {(frame["type"], *sorted(frame)): frame for frame in frames}
    return [
        f"{frame}: {error.message[:300]}"
        for frame in shapes.values()
        for error in judge.iter_errors(frame)
    ]


@pytest.mark.parametrize("frame", CLIENT)
async def test_every_client_frame_validates(story: Story, frame: Frame) -> None:
    assert objections(await validator(story), [frame]) == []


@pytest.mark.parametrize("frame", WRONG)
async def test_a_wrong_frame_does_not_validate(story: Story, frame: Frame) -> None:
    assert objections(await validator(story), [frame])


async def test_every_server_frame_validates(story: Story) -> None:
    session, viewer = await story.begin()
    async with dashboard(story) as socket:
        board = Dashboard(socket)
        await board.take()
        await everything(story, session, viewer)
        await board.take()
    judge = await validator(story)
    assert objections(judge, viewer.frames) == []
    assert objections(judge, board.frames) == []
    seen = {frame["type"] for frame in viewer.frames}
    elsewhere = {"compacted", "step", "job_started", "job_ended"}
    elsewhere |= {"question_asked", "question_answered"}
    assert set(DURABLE) - seen <= elsewhere, "the story has every other kind of event"


async def everything(story: Story, session: str, viewer: Viewer) -> None:
    """A session in which everything happens that can happen in one."""
    plan = CallScript("plan", {"items": [{"id": "1", "content": "Look", "status": "pending"}]})
    broken = Reply(status=503, body={"error": {"message": "busy"}})
    same = calls(bash("echo same"), plan, CallScript("bash", "{"))
    last = Reply(reasoning="Hm.", text="Done.")
    await story.turn(viewer, "Go", broken, same, same, same, last)
    gate = Gate()
    story.model.play(Reply(text="Working on it.", hold={1: gate}))
    await viewer.say("Again")
    await viewer.shows("Working ")
    await viewer.accepted("withdraw", submission=(await viewer.say("Not this"))["id"])
    await viewer.say("Steered", delivery="steer")
    gate.set()
    await viewer.until("turn_ended")
    await viewer.accepted("undo")
    await viewer.accepted("set_model", model="openai/test-model")
    await viewer.accepted("set_auto_approval", enabled=False)
    story.model.play(calls(bash("echo please-ask")), Reply(text="Thank you."))
    await viewer.say("Ask")
    call = (await viewer.until("approval_required"))["calls"][0]["call"]
    edited = {"command": "echo edited"}
    decision = {"call": call, "decision": "approve", "arguments": edited, "feedback": "Better"}
    await viewer.accepted("approval", decisions=[decision])
    await viewer.until("turn_ended")
    await story.turn(viewer, "Fail", Reply(status=401, body={"error": {"message": "no"}}))
    await viewer.refused("resume")
    await viewer.answer(await viewer.send("nonsense"))
    await viewer.ask({"type": "ping", "id": "p1"})
    await viewer.tell({"type": "shutdown", "id": "end-1"})
    await viewer.closed()


@pytest.mark.parametrize("name", ["asyncapi", "openapi"])
async def test_the_api_describes_itself(story: Story, name: str) -> None:
    described: dict[str, Any] = await story.api.good("GET", f"/api/{name}.json")
    assert described[name]
    assert described["info"]["title"]
    text = str(described)
    if name == "openapi":
        assert {"/api/sessions", "/api/sessions/{id}", "/api/me"} <= described["paths"].keys()
    else:
        assert all(kind in text for kind in DURABLE)
