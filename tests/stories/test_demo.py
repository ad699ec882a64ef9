"""The first minute: without a key there is the demo model, which does everything once."""

from tests.client import Viewer
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story


async def demo(alone: NewStory) -> tuple[Story, Viewer]:
    story = await alone(bare=True, arguments=["--model", "demo"])
    session = await story.api.session()
    return story, await story.join(session)


async def to_the_end(viewer: Viewer, submission: str) -> Frame:
    """The end of a turn that may ask; every question is answered yes."""
    started = await viewer.until("turn_started", submission=submission)
    answered = 0
    while True:
        head = viewer.log.last
        events = [event for event in viewer.events if event.get("turn") == started["turn"]]
        if events[-1]["type"] == "turn_ended":
            return events[-1]
        asked = [event for event in events if event["type"] == "approval_required"]
        for question in asked[answered:]:
            decisions = [{"call": c["call"], "decision": "approve"} for c in question["calls"]]
            await viewer.accepted("approval", decisions=decisions)
            answered += 1
        await viewer.more(than=head)


async def test_the_demo_streams_plans_runs_tools_and_asks(alone: NewStory) -> None:
    _, viewer = await demo(alone)
    for text in ("Hello! What can you do?", "Show me everything.", "Go on."):
        answer = await viewer.say(text)
        ended = await to_the_end(viewer, answer["id"])
        assert ended["status"] == "completed"
    seen = set(viewer.kinds())
    assert {"plan_updated", "tool_started", "tool_output", "approval_required"} <= seen
    assert "ok" in {output["status"] for output in viewer.of("tool_output")}
    assert any(frame["type"] == "text_delta" for frame in viewer.frames)


async def test_the_demo_says_that_it_is_one_and_says_the_same_each_time(alone: NewStory) -> None:
    story, viewer = await demo(alone)
    models = await story.api.good("GET", "/api/models")
    assert models["default"] == "demo"
    label = next(model["label"] for model in models["models"] if model["id"] == "demo")
    assert "demo" in label.lower()
    texts = []
    for _ in range(2):
        viewer = await story.join(await story.api.session())
        await to_the_end(viewer, (await viewer.say("Hello!"))["id"])
        texts.append([message["text"] for message in viewer.of("assistant_message")])
    assert texts[0] == texts[1]


async def test_without_any_key_the_demo_is_the_default(alone: NewStory) -> None:
    story = await alone(bare=True, model=())
    models = await story.api.good("GET", "/api/models")
    assert models["default"] == "demo"
    row = await story.api.good("POST", "/api/sessions", {})
    assert row["model"] == "demo"
