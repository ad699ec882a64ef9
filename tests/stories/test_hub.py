"""The agent at the Hub: it looks a dataset up, publishes what a person allows, and nothing else."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.fakes.hub.server import ADA, FakeHub
from tests.model_server import CallScript, Reply
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, calls, rule, shown, told
from tests.stories.test_tokens import bearer, create, known

HOST = "hf_that_the_server_must_not_use"
LOOK = CallScript("hf_inspect_dataset", {"dataset": "ada/films", "sample_rows": 1})
CARD = "---\nlicense: mit\n---\n# Net\n"
UPLOAD: Frame = {
    "operation": "upload",
    "repo_id": "ada/net",
    "path": "README.md",
    "content": CARD,
    "commit_message": "Add a card",
}
DELETE: Frame = {"operation": "delete", "repo_id": "ada/net", "path": "weights.safetensors"}
CHANGES = ["tool_call", "approval_required", "approval_resolved", "tool_started", "tool_output"]


@pytest_asyncio.fixture(loop_scope="session")
async def hub() -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub:
        hub.viewer.splits["ada/films"] = {("default", "train"): [{"text": "A film."}]}
        hub.viewer.features["ada/films"] = [{"name": "text", "type": {"dtype": "string"}}]
        weights = {"weights.safetensors": b"w"}
        hub.repos.add("ada/net", refs={"main": weights})
        yield hub


async def of_ada(alone: NewStory, hub: FakeHub) -> Story:
    """Ada has a server of her own: the token of its environment is hers."""
    return await alone({"hub": hub.config}, environment={"HF_TOKEN": ADA})


async def test_a_dataset_is_looked_at_without_a_question(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    ended = await story.turn(viewer, "What is in it?", calls(LOOK), Reply(text="Films."))
    assert ended["status"] == "completed"
    assert viewer.of("approval_required") == []
    output = viewer.of("tool_output")[0]
    assert output["status"] == "ok"
    assert "- default / train · 1,000 rows" in output["output"]
    assert "- text: A film." in output["output"]
    assert "A film." in shown(story.model.requests[-1])
    assert hub.tokens == {f"Bearer {ADA}"}


async def test_a_model_card_is_published_as_a_person_edited_it(
    alone: NewStory, hub: FakeHub
) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    story.model.play(calls(CallScript("hf_repo_files", UPLOAD)))
    await viewer.say("Publish the card")
    question = (await viewer.until("approval_required"))["calls"][0]
    assert viewer.of("tool_call")[0]["effect"] == "publish"
    assert "leaves the sandbox" in question["reason"]
    assert hub.asked == [], "nothing goes out before a person has ruled"

    edited = {**UPLOAD, "content": CARD + "\nTrained on films.\n"}
    story.model.play(Reply(text="It is there."))
    approve = rule(question["call"], "approve", arguments=edited)
    await viewer.accepted("approval", decisions=[approve])
    await viewer.until("turn_ended")
    assert [kind for kind in told(viewer.events) if kind in CHANGES] == CHANGES
    assert viewer.of("tool_started")[0]["arguments"] == edited
    assert "Uploaded README.md in ada/net" in viewer.of("tool_output")[0]["output"]
    files = hub.repos.all["model", "ada/net"].refs["main"]
    assert files["README.md"].decode() == edited["content"]
    assert hub.tokens == {f"Bearer {ADA}"}


async def test_what_a_person_rejects_is_not_deleted(alone: NewStory, hub: FakeHub) -> None:
    story = await of_ada(alone, hub)
    _, viewer = await story.begin()
    story.model.play(calls(CallScript("hf_repo_files", DELETE)))
    await viewer.say("Tidy up")
    question = (await viewer.until("approval_required"))["calls"][0]
    story.model.play(Reply(text="I leave them."))
    reject = rule(question["call"], "reject", feedback="We need the weights.")
    await viewer.accepted("approval", decisions=[reject])
    await viewer.until("turn_ended")
    assert viewer.of("tool_started") == []
    assert viewer.of("tool_output")[0]["status"] == "rejected"
    assert "We need the weights." in shown(story.model.requests[-1])
    assert hub.asked == []
    assert "weights.safetensors" in hub.repos.all["model", "ada/net"].refs["main"]


async def test_the_token_of_the_server_serves_no_user(alone: NewStory, hub: FakeHub) -> None:
    environment = {"HF_TOKEN": HOST, "HUGGING_FACE_HUB_TOKEN": HOST}
    story = await alone({"hub": hub.config}, arguments=["--auth", "token"], environment=environment)
    await story.connect(bearer(await create(story.server, "bob")))
    await known(story.api)
    listing = CallScript("hf_repo_files", {"operation": "list", "repo_id": "ada/net"})
    _, viewer = await story.begin()
    await story.turn(viewer, "Look", calls(LOOK, listing), Reply(text="Seen."))
    assert [output["status"] for output in viewer.of("tool_output")] == ["ok", "ok"]
    assert hub.tokens == {None}

    story.model.play(calls(CallScript("hf_repo_files", UPLOAD)))
    await viewer.say("Publish")
    required = await viewer.until("approval_required")
    question = required["calls"][0]
    story.model.play(Reply(text="I cannot."))
    await viewer.accepted("approval", decisions=[rule(question["call"], "approve")])
    await viewer.until("turn_ended", turn=required["turn"])
    output = viewer.of("tool_output")[-1]
    assert output["status"] == "error"
    assert "given no Hugging Face token" in output["output"]
    assert hub.tokens == {None}
