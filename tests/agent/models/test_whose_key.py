"""Whose key goes where: a user's own first, what the server offers next, another's never."""

from collections.abc import Mapping

import msgspec
import pytest

from agent.models.catalogue import Catalogue, OwnModels
from agent.models.entries import ModelEntry
from agent.models.port import ModelError
from agent.models.whose_key import Host
from tests.agent.models.conftest import AS_LITELLM_IS
from tests.agent.models.hearing import asking, hear
from tests.model_server import ModelServer, Reply

BASE = "http://127.0.0.1:1/v1"
ENTRIES = {
    "hf/Org/Big": ModelEntry(needs="HF_TOKEN"),
    "hf/Org/Team": ModelEntry(needs="TEAM_TOKEN"),
    "openai/gpt": ModelEntry(needs="OPENAI_API_KEY"),
    "far/away": ModelEntry(needs="FAR_KEY"),
    "bedrock/x": ModelEntry(needs="AWS_SECRET_ACCESS_KEY"),
    "huggingface/x": ModelEntry(),
    "demo": ModelEntry(),
}


def models(
    secrets: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
    default: str | None = None,
    api_base: str | None = None,
    router: str = BASE,
) -> OwnModels:
    """Of somebody who keeps `secrets`, at a server with that `environment`."""
    there = Catalogue(ENTRIES, environment or {}, default=default, api_base=api_base, router=router)
    return there.of(Host(secrets))


def usable(own: OwnModels) -> set[str]:
    return {offer.id for offer in own.offers() if offer.available}


@pytest.mark.parametrize(
    ("secrets", "environment", "found"),
    [
        ({}, {}, set()),
        ({"HF_TOKEN": "hf_mine"}, {}, {"hf/Org/Big", "huggingface/x"}),
        ({}, {"HF_TOKEN": "hf_host"}, set()),
        ({}, {"TEAM_TOKEN": "hf_team", "FAR_KEY": "x"}, {"hf/Org/Team", "far/away"}),
        ({"FAR_KEY": "x", "OPENAI_API_KEY": "x"}, {}, {"far/away", "openai/gpt"}),
        ({"AWS_SECRET_ACCESS_KEY": "x"}, {}, set()),
        ({}, {"AWS_SECRET_ACCESS_KEY": "x"}, {"bedrock/x"}),
    ],
)
def test_one_can_use_what_one_has_a_key_for_or_the_server_offers(
    secrets: Mapping[str, str], environment: Mapping[str, str], found: set[str]
) -> None:
    own = models(secrets, environment)
    assert usable(own) == {"demo", *found}
    assert own.default == next(id for id in ENTRIES if id in {"demo", *found})
    assert own.knows("hf/Any/Other:together") is ("HF_TOKEN" in secrets)


def test_without_a_key_it_says_which_secret_to_keep() -> None:
    own = models({})
    for id, name in (("hf/Org/Big", "HF_TOKEN"), ("far/away", "FAR_KEY")):
        why = own.why_not(id) or ""
        assert f"Keep {name} among your secrets" in why
        with pytest.raises(ModelError, match=f"Keep {name} among") as error:
            own.adapter(id)
        assert (error.value.code, error.value.retryable) == ("unauthorized", False)
    assert "no such model" in (own.why_not("never/heard") or "")


def test_that_of_the_command_line_can_be_chosen_before_there_is_a_key() -> None:
    own = models({}, {"HF_TOKEN": "hf_host"}, default="hf/Org/Big")
    assert (own.default, own.knows("hf/Org/Big")) == ("hf/Org/Big", True)
    assert usable(own) == {"demo"}
    with pytest.raises(ModelError, match="Keep HF_TOKEN"):
        own.adapter("hf/Org/Big")


async def test_two_users_share_an_adapter_and_no_key() -> None:
    async with ModelServer() as router:
        there = Catalogue(ENTRIES, {"HF_TOKEN": "hf_host"}, router=router.url)
        mine, kept = {"HF_TOKEN": "hf_ada"}, {"HF_TOKEN": "hf_bob"}
        ada, bob = there.of(Host(mine)), there.of(Host(kept))
        request = asking(model="hf/Org/Big")
        await hear(ada.adapter("hf/Org/Big"), request)
        await hear(bob.adapter("hf/Org/Big"), request)
        mine["HF_TOKEN"] = "hf_ada_2"
        await ada.adapter("hf/Org/Big").warm()
        await ada.adapter("hf/Org/Big").close()
        await hear(ada.adapter("hf/Org/Big"), request)
        sent = [seen.headers["authorization"] for seen in router.requests]
        assert sent == ["Bearer hf_ada", "Bearer hf_bob", "Bearer hf_ada_2"]
        assert request.key is None
        await there.close()


@pytest.mark.parametrize(
    ("secrets", "needs", "sent"),
    [
        ({"OPENAI_API_KEY": "sk-mine"}, None, "Bearer sk-host"),
        ({"OPENAI_API_KEY": "sk-mine"}, "OPENAI_API_KEY", "Bearer sk-mine"),
        ({}, "OPENAI_API_KEY", "Bearer sk-host"),
        ({"TEAM_KEY": "sk-team"}, "TEAM_KEY", "Bearer sk-team"),
        ({}, "TEAM_KEY", "Bearer sk-host"),
    ],
)
async def test_at_an_address_of_the_operators_a_key_goes_only_where_an_entry_names_it(
    secrets: Mapping[str, str], needs: str | None, sent: str
) -> None:
    async with ModelServer() as server:
        there = Catalogue(
            {"openai/llama": ModelEntry(needs=needs)},
            {"OPENAI_API_KEY": "sk-host"},
            default="openai/llama",
            api_base=server.url,
        )
        own = there.of(Host(secrets))
        assert (await hear(own.adapter("openai/llama"), asking(model="openai/llama"))).error is None
        assert server.requests[0].headers["authorization"] == sent
        await there.close()


def test_the_hub_token_does_not_go_to_an_address_of_the_operators() -> None:
    named = models({"HF_TOKEN": "hf_mine"}, default="huggingface/x", api_base=BASE)
    assert named.adapter("huggingface/x") is named.adapter("huggingface/x")


@AS_LITELLM_IS[0]
@AS_LITELLM_IS[1]
@AS_LITELLM_IS[2]
async def test_through_litellm_each_is_asked_with_a_key_of_their_own() -> None:
    async with ModelServer() as server:
        entries = {"hosted_vllm/llama": ModelEntry(needs="FAR_KEY")}
        there = Catalogue(entries, {}, default="hosted_vllm/llama", api_base=server.url)
        request = asking(model="hosted_vllm/llama")
        for name in ("ada", "bob"):
            own = there.of(Host({"FAR_KEY": f"sk-of-{name}"}))
            assert (await hear(own.adapter("hosted_vllm/llama"), request)).error is None
        sent = [seen.headers["authorization"] for seen in server.requests]
        assert sent == ["Bearer sk-of-ada", "Bearer sk-of-bob"]
        server.play(Reply(status=400, body={"error": {"message": "sk-of-bob is no good"}}))
        keyed = msgspec.structs.replace(request, key="sk-of-bob")
        error = (await hear(there.shared("hosted_vllm/llama"), keyed)).error
        assert error is not None
        assert "sk-of-bob" not in error.message
        await there.close()
