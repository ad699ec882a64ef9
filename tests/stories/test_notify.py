"""The agent calls people who are not looking, through a web hook that the operator has set up."""

import msgspec
from aiohttp import web

from tests.fakes.web import Web
from tests.model_server import CallScript, Reply
from tests.stories.conftest import NewStory
from tests.stories.scene import calls


async def test_a_word_reaches_the_place_that_was_set_up(alone: NewStory) -> None:
    told: list[object] = []

    async def take(request: web.Request) -> web.StreamResponse:
        told.append(msgspec.json.decode(await request.read()))
        return web.Response(text="ok")

    async with Web("127.0.0.1") as hooks:
        story = await alone({"notify": {"team": {"url": hooks.serve("/hook/of-the-team", take)}}})
        _, viewer = await story.begin()
        word = CallScript("notify", {"text": "It is trained.", "title": "Net"})
        await story.turn(viewer, "Tell them", calls(word), Reply(text="Told."))
    assert told == [{"text": "*Net*\nIt is trained."}]
    [output] = viewer.of("tool_output")
    assert (output["status"], output["output"]) == ("ok", "Sent to team.")
    assert viewer.of("approval_required") == []
    offered = [tool["function"] for tool in story.model.requests[0].body["tools"]]
    [notify] = [tool for tool in offered if tool["name"] == "notify"]
    assert "team" in notify["description"]
    assert "of-the-team" not in str(story.model.requests), "the address is as secret as a key"


async def test_without_a_place_there_is_no_such_tool(alone: NewStory) -> None:
    story = await alone()
    _, viewer = await story.begin()
    await story.turn(viewer, "Hello")
    offered = {tool["function"]["name"] for tool in story.model.requests[0].body["tools"]}
    assert "hf_jobs" in offered
    assert "notify" not in offered
