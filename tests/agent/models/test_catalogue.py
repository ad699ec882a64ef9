"""Which models there are, what each needs, whose key it is asked with, and by which adapter."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.config import load
from agent.models.catalogue import Catalogue
from agent.models.chat_reply import Prices
from agent.models.demo import DemoModel
from agent.models.entries import FALLBACK_CONTEXT, ModelEntry
from agent.models.litellm_model import LiteLLM
from agent.models.openai_compatible import OpenAICompatible
from agent.models.port import ModelError
from tests.agent.models.conftest import AS_LITELLM_IS
from tests.agent.models.hearing import asking, hear
from tests.model_server import ModelServer

SHIPPED = load([Path(__file__).parents[3] / "configs" / "models.json"], dict[str, ModelEntry])
ENTRIES = {
    "hf/Org/Big": ModelEntry("Big", 64_000, needs="HF_TOKEN"),
    "openai/gpt": ModelEntry("GPT", 32_000, needs="OPENAI_API_KEY"),
    "openai/priced": ModelEntry(needs="OPENAI_API_KEY", prices=Prices(1.0, 2.0)),
    "far/away": ModelEntry(needs="FAR_KEY"),
    "near/by": ModelEntry("Near"),
    "demo": ModelEntry("Demo", 8_000),
}
ALL_KEYS = {"HF_TOKEN": "x", "OPENAI_API_KEY": "x", "FAR_KEY": "x"}
BASE = "http://127.0.0.1:1/v1"


def catalogue(
    environment: Mapping[str, str] | None = None,
    default: str | None = None,
    api_base: str | None = None,
    entries: Mapping[str, ModelEntry] = ENTRIES,
) -> Catalogue:
    return Catalogue(entries, environment or {}, default=default, api_base=api_base)


@pytest.mark.parametrize(
    ("environment", "default"),
    [
        ({}, "demo"),
        ({"HF_TOKEN": ""}, "demo"),
        ({"HF_TOKEN": "x"}, "hf/Qwen/Qwen3-Coder-480B-A35B-Instruct"),
        ({"ANTHROPIC_API_KEY": "x"}, "anthropic/claude-sonnet-4-5"),
        ({"OPENAI_API_KEY": "x"}, "openai/gpt-5"),
        ({"GEMINI_API_KEY": "x", "OPENAI_API_KEY": "x"}, "openai/gpt-5"),
    ],
)
def test_the_default_is_the_first_that_can_be_used(
    environment: Mapping[str, str], default: str
) -> None:
    assert catalogue(environment, entries=SHIPPED).default == default


def test_without_any_entry_there_is_the_demo() -> None:
    assert catalogue(entries={}).default == "demo"


def test_the_one_that_was_asked_for_is_the_default_first_and_available() -> None:
    for chosen in ("far/away", "openai/llama", "hf/A/B", "new/one"):
        offered = catalogue(ALL_KEYS, default=chosen, api_base=BASE).host.offers()
        assert (offered[0].id, offered[0].available) == (chosen, True)
        assert [offer.id for offer in offered].count(chosen) == 1


def test_an_offer_has_a_label_a_window_and_what_it_lacks() -> None:
    offered = {
        offer.id: offer for offer in catalogue({"FAR_KEY": "x", "HF_TOKEN": ""}).host.offers()
    }
    assert list(offered) == list(ENTRIES)
    assert (offered["far/away"].label, offered["far/away"].context) == ("far/away", 200_000)
    assert (offered["far/away"].available, offered["far/away"].why_not) == (True, None)
    assert not offered["hf/Org/Big"].available
    assert "HF_TOKEN" in (offered["hf/Org/Big"].why_not or "")
    assert offered["near/by"].available


@pytest.mark.parametrize(
    ("model", "environment", "api_base", "known"),
    [
        ("demo", {}, None, True),
        ("near/by", {}, None, True),
        ("far/away", {}, None, False),
        ("far/away", {"FAR_KEY": ""}, None, False),
        ("far/away", {"FAR_KEY": "x"}, None, True),
        ("other/model", ALL_KEYS, BASE, False),
        ("openai/llama", {}, BASE, True),
        ("openai/llama", ALL_KEYS, None, False),
        ("openai/", {}, BASE, False),
        ("openai/gpt", {}, None, False),
        ("openai/gpt", ALL_KEYS, None, True),
        ("openai/gpt", ALL_KEYS, BASE, False),
        ("hf/Some/Model", {"HF_TOKEN": "x"}, None, True),
        ("hf/Some/Model:together", {"HF_TOKEN": "x"}, None, True),
        ("hf/Some/Model", {}, None, False),
        ("hf/Some/Model", {"HF_TOKEN": ""}, None, False),
        ("hf/Some", {"HF_TOKEN": "x"}, None, False),
        ("hf/Some/Model/x", {"HF_TOKEN": "x"}, None, False),
        ("hf/Some/Mo del", {"HF_TOKEN": "x"}, None, False),
        ("", ALL_KEYS, BASE, False),
    ],
)
def test_what_can_be_chosen_depends_on_keys_and_addresses(
    model: str, environment: Mapping[str, str], api_base: str | None, known: bool
) -> None:
    there = catalogue(environment, api_base=api_base)
    assert there.host.knows(model) is known
    if known:
        assert there.host.adapter(model) is not None
        assert there.shared(model) is there.shared(model)
    else:
        with pytest.raises(ModelError) as error:
            there.host.adapter(model)
        code = "unauthorized" if there.has(model) else "model_not_found"
        assert (error.value.code, error.value.retryable) == (code, False)


def test_a_model_that_is_gone_is_not_asked_for_at_the_address_of_another() -> None:
    there = catalogue({"OPENAI_API_KEY": "x"})
    there.shared("openai/gpt")
    with pytest.raises(ModelError, match="any more"):
        there.host.adapter("openai/retired")


def test_the_window_is_that_of_the_entry_or_a_guess() -> None:
    assert catalogue().context("demo") == 8_000
    assert catalogue().context("never/heard") == FALLBACK_CONTEXT


async def test_one_endpoint_has_one_adapter_unless_a_model_has_prices() -> None:
    there = catalogue(ALL_KEYS)
    by_id = {id: there.shared(id) for id in ENTRIES}
    assert isinstance(by_id["demo"], DemoModel)
    assert by_id["far/away"] is by_id["near/by"]
    assert isinstance(by_id["near/by"], LiteLLM)
    assert isinstance(by_id["openai/gpt"], OpenAICompatible)
    assert len({id(by_id[name]) for name in ("openai/gpt", "openai/priced", "hf/Org/Big")}) == 3
    assert there.shared("hf/Another/One") is by_id["hf/Org/Big"]
    await there.close()


async def test_the_default_is_warmed_and_all_are_closed() -> None:
    there = catalogue(default="openai/llama", api_base=BASE)
    await there.warm()
    adapter = there.shared("openai/llama")
    assert isinstance(adapter, OpenAICompatible)
    await there.close()
    demo = catalogue(default="demo")
    await demo.warm()
    assert isinstance(demo.host.adapter("demo"), DemoModel)
    await demo.close()


@AS_LITELLM_IS[0]
@AS_LITELLM_IS[1]
@AS_LITELLM_IS[2]
async def test_the_model_named_with_an_address_is_asked_for_there_and_nowhere_else() -> None:
    async with ModelServer() as private:
        there = catalogue({"FAR_KEY": "x"}, default="hosted_vllm/llama", api_base=private.url)
        adapter = there.host.adapter("hosted_vllm/llama")
        assert isinstance(adapter, LiteLLM)
        assert adapter is not there.shared("far/away")
        heard = await hear(adapter, asking(model="hosted_vllm/llama"))
        assert heard.error is None
        assert len(private.requests) == 1
        await there.close()
