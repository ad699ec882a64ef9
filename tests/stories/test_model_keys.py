"""Models are asked with the key of a session's owner, never with that of somebody else."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.api import Api
from tests.client import Viewer
from tests.fakes.openid import OpenIDProvider
from tests.model_server import ModelServer, Reply, Seen
from tests.oracle import Frame
from tests.stories.browsing import Browsing
from tests.stories.conftest import NewStory
from tests.stories.scene import Story
from tests.stories.test_secrets import frames
from tests.stories.test_tokens import bearer, create, known
from tests.stories.test_user_secrets import keep

NET = "hf/Org/Net"
HOST = "hf_of_the_host_itself"
ADA, ADA_NEW, BOB = "sk_ada_0123456789", "sk_ada_9876543210", "sk_bob_0123456789"
KEYED: Frame = {"models": {"openai/test-model": {"needs": "OPENAI_API_KEY"}}}


@pytest_asyncio.fixture(loop_scope="session")
async def router() -> AsyncIterator[ModelServer]:
    """Stands for the router of Hugging Face."""
    async with ModelServer() as router:
        yield router


async def of_two(alone: NewStory, config: Frame, **how: Any) -> tuple[Story, Api, Api]:
    story = await alone(config, arguments=["--auth", "token"], **how)
    tokens = [await create(story.server, user) for user in ("ada", "bob")]
    apis = [await story.connect(bearer(token)) for token in tokens]
    for api in apis:
        await known(api)
    return story, apis[0], apis[1]


async def begun(story: Story, api: Api, **fields: Any) -> Viewer:
    story.api = api
    return (await story.begin(**fields))[1]


def shown_to(model: ModelServer) -> list[str | None]:
    """With what each turn asked; titles are asked for with the same."""
    return [seen.headers.get("authorization") for seen in model.requests]


async def spoken(story: Story, viewer: Viewer) -> Frame:
    answer = await viewer.say("Hello")
    started = await viewer.until("turn_started", submission=answer["id"])
    return await viewer.until("turn_ended", turn=started["turn"])


async def offer(api: Api, model: str) -> Frame:
    offers = (await api.good("GET", "/api/models"))["models"]
    found: Frame = next(one for one in offers if one["id"] == model)
    return found


async def test_each_is_asked_for_with_a_key_of_their_own_as_it_is_now(alone: NewStory) -> None:
    environment = {"OPENAI_API_KEY": "sk_of_the_host_itself"}
    story, ada, bob = await of_two(alone, KEYED, environment=environment)
    hers, his = await begun(story, ada), await begun(story, bob)
    await keep(ada, "OPENAI_API_KEY", ADA)
    await story.turn(hers, "Hello")
    await story.turn(his, "Hello")
    await keep(bob, "OPENAI_API_KEY", BOB)
    await keep(ada, "OPENAI_API_KEY", ADA_NEW)
    await story.turn(his, "And now?")
    await story.turn(hers, "And now?")
    assert (await ada.call("DELETE", "/api/secrets/OPENAI_API_KEY")).status == 204
    await story.turn(hers, "And now?")
    keys = [ADA, environment["OPENAI_API_KEY"], BOB, ADA_NEW, environment["OPENAI_API_KEY"]]
    assert shown_to(story.model) == [f"Bearer {key}" for key in keys]
    asides = {seen.headers.get("authorization") for seen in story.model.plain_requests}
    assert asides <= set(shown_to(story.model))


async def test_through_litellm_too(alone: NewStory, model: ModelServer) -> None:
    named = ("--model", "hosted_vllm/test-model", "--api-base", model.url)
    config = {"models": {"hosted_vllm/test-model": {"needs": "TEAM_KEY"}}}
    story, ada, bob = await of_two(alone, config, model=named)
    await keep(ada, "TEAM_KEY", ADA)
    await keep(bob, "TEAM_KEY", BOB)
    for api in (ada, bob):
        await story.turn(await begun(story, api), "Hello")
    assert shown_to(model) == [f"Bearer {ADA}", f"Bearer {BOB}"]


async def test_a_model_that_repeats_the_key_tells_nobody(alone: NewStory) -> None:
    story, ada, _ = await of_two(alone, KEYED)
    await keep(ada, "OPENAI_API_KEY", ADA)
    viewer = await begun(story, ada)
    await story.turn(viewer, "What is your key?", Reply(text=f"It is {ADA}, I think."))
    refusal = Reply(status=400, body={"error": {"message": f"{ADA} is out of credit."}})
    ended = await story.turn(viewer, "Again", refusal)
    assert ended["status"] == "failed"
    for shown in (frames(viewer), story.server.stderr):
        assert ADA not in shown


async def test_the_router_is_asked_with_the_token_of_each_and_never_with_the_hosts(
    alone: NewStory, router: ModelServer
) -> None:
    config = {"hub": {"router": router.url}, "models": {NET: {"needs": "HF_TOKEN"}}}
    story, ada, bob = await of_two(alone, config, environment={"HF_TOKEN": HOST})
    await keep(ada, "HF_TOKEN", ADA)
    assert (await offer(ada, NET))["available"]
    assert "Keep HF_TOKEN" in (await offer(bob, NET))["why_not"]
    for model in (NET, "hf/Org/Other:together"):
        refused = await bob.call("POST", "/api/sessions", {"model": model})
        assert (refused.status, refused.code) == (409, "no_such_model")
        assert "Keep HF_TOKEN among your secrets" in refused.json["error"]["message"]
        viewer = await begun(story, ada, model=model)
        assert (await spoken(story, viewer))["status"] == "completed"
    await keep(bob, "HF_TOKEN", BOB)
    viewer = await begun(story, bob, model=NET)
    assert (await spoken(story, viewer))["status"] == "completed"
    assert shown_to(router) == [f"Bearer {key}" for key in (ADA, ADA, BOB)]
    assert HOST not in str([seen.headers for seen in router.plain_requests])


async def test_a_turn_whose_key_was_taken_away_says_which_to_keep_and_is_done_again(
    alone: NewStory, router: ModelServer
) -> None:
    model = ("--model", NET)
    config = {"hub": {"router": router.url}}
    story, ada, _ = await of_two(alone, config, environment={"HF_TOKEN": HOST}, model=model)
    viewer = await begun(story, ada)
    ended = await spoken(story, viewer)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "unauthorized")
    assert "Keep HF_TOKEN among your secrets" in ended["error"]["message"]
    assert (await ada.good("GET", "/api/models"))["default"] == NET
    await keep(ada, "HF_TOKEN", ADA)
    assert (await spoken(story, viewer))["status"] == "completed"
    assert (await ada.call("DELETE", "/api/secrets/HF_TOKEN")).status == 204
    assert (await spoken(story, viewer))["error"]["code"] == "unauthorized"
    assert shown_to(router) == [f"Bearer {ADA}"]


async def test_who_drives_a_shared_session_uses_the_key_of_its_owner(alone: NewStory) -> None:
    story, ada, bob = await of_two(alone, KEYED)
    await keep(ada, "OPENAI_API_KEY", ADA)
    await keep(bob, "OPENAI_API_KEY", BOB)
    story.api = ada
    session, _ = await story.begin()
    await ada.good("POST", f"/api/sessions/{session}/shares", {"role": "driver", "user": "bob"})
    story.api = bob
    guest = await story.join(session)
    await story.turn(guest, "Hello")
    assert shown_to(story.model) == [f"Bearer {ADA}"]


async def test_the_token_of_a_login_at_hugging_face_is_what_the_router_is_asked_with(
    alone: NewStory, router: ModelServer
) -> None:
    async with OpenIDProvider() as provider:
        settings = provider.settings(provider="huggingface")
        config = {"oauth": settings, "hub": {"router": router.url}}
        how: Frame = {"arguments": ["--auth", "oauth"], "environment": {"HF_TOKEN": HOST}}
        story = await alone(config, **how)
        async with Browsing(story.server.url) as browser:
            await browser.log_in()
            (token,) = provider.access
            await story.connect(browser.headers)
            _, viewer = await story.begin(model=NET)
            assert (await spoken(story, viewer))["status"] == "completed"
    assert shown_to(router) == [f"Bearer {token}"]


async def test_alone_at_a_server_its_own_token_is_ones_own(
    alone: NewStory, router: ModelServer
) -> None:
    config = {"hub": {"router": router.url}}
    story = await alone(config, environment={"HF_TOKEN": HOST}, model=("--model", NET))
    router.answer = _echo
    _, viewer = await story.begin()
    assert (await spoken(story, viewer))["status"] == "completed"
    assert shown_to(router) == [f"Bearer {HOST}"]
    assert HOST not in json.dumps(viewer.frames)


def _echo(seen: Seen) -> Reply:
    return Reply(text=f"You came with {seen.headers.get('authorization')}")
