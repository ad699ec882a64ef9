"""How hard a model is asked to think: as configured, and less where its provider refuses that."""

import msgspec
import pytest

from agent.models.catalogue import Catalogue
from agent.models.effort import SteppingDown
from agent.models.entries import ModelEntry
from agent.models.openai_compatible import OpenAICompatible
from agent.models.port import Effort, Model, ModelError
from tests.agent.models.hearing import asking, hear
from tests.model_server import ModelServer, Reply

REFUSED = {"error": {"message": "reasoning_effort is not supported by this model", "code": 400}}


def thinking(native: OpenAICompatible, effort: Effort | None) -> SteppingDown:
    return SteppingDown(native, lambda model: effort)


def refused(times: int) -> list[Reply]:
    return [Reply(status=400, body=REFUSED)] * times


async def said(model: Model) -> str:
    heard = await hear(model, asking())
    if heard.error is not None:
        raise heard.error
    return heard.text


def asked(server: ModelServer) -> list[str | None]:
    seen = [*server.requests, *server.plain_requests]
    return [request.body.get("reasoning_effort") for request in seen]


@pytest.mark.parametrize("effort", [None, "none", "low", "high"])
async def test_the_effort_goes_into_the_request(
    effort: Effort | None, server: ModelServer, native: OpenAICompatible
) -> None:
    await said(thinking(native, effort))
    assert asked(server) == [effort]


async def test_a_refusal_steps_down_until_the_provider_takes_it(
    server: ModelServer, native: OpenAICompatible
) -> None:
    server.play(*refused(3), Reply(text="Thought."))
    assert await said(thinking(native, "high")) == "Thought."
    assert asked(server) == ["high", "medium", "low", None]


async def test_what_was_refused_is_not_asked_for_again(
    server: ModelServer, native: OpenAICompatible
) -> None:
    model = thinking(native, "medium")
    server.play(*refused(1), Reply(text="One."), Reply(text="Two."))
    assert (await said(model), await said(model)) == ("One.", "Two.")
    assert asked(server) == ["medium", "low", "low"]


@pytest.mark.parametrize(
    ("effort", "status", "message"),
    [
        pytest.param("low", 400, "no such field: seed", id="another complaint"),
        pytest.param("low", 401, "reasoning is for members", id="another code"),
        pytest.param(None, 400, "reasoning is broken", id="nothing was asked for"),
    ],
)
async def test_every_other_failure_is_told(
    effort: Effort | None, status: int, message: str, server: ModelServer, native: OpenAICompatible
) -> None:
    server.play(Reply(status=status, body={"error": {"message": message}}))
    with pytest.raises(ModelError):
        await said(thinking(native, effort))
    assert asked(server) == [effort]


async def test_a_complaint_after_the_first_word_is_told(
    server: ModelServer, native: OpenAICompatible
) -> None:
    error = b'data: {"error": {"message": "bad reasoning", "code": 400}}\n\n'
    first = {"choices": [{"index": 0, "delta": {"content": "I "}}]}
    server.play(Reply(raw=[first, error]))
    heard = await hear(thinking(native, "low"), asking())
    assert (heard.text, heard.error is not None) == ("I ", True)
    assert asked(server) == ["low"]


async def test_the_effort_of_each_model_is_a_setting(server: ModelServer) -> None:
    entries = {
        "openai/deep": msgspec.convert({"effort": "high"}, ModelEntry),
        "openai/plain": ModelEntry(),
    }
    catalogue = Catalogue(entries, {}, default="openai/plain", api_base=server.url)
    for model in ("openai/deep", "openai/plain"):
        await hear(catalogue.host.adapter(model), msgspec.structs.replace(asking(), model=model))
    assert asked(server) == ["high", None]
    await catalogue.warm()
    await catalogue.close()
