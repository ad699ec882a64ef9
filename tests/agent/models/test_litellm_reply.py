"""What litellm may keep of a stream, and what is made of a strange one."""

from types import ModuleType, SimpleNamespace

import pytest

from agent.models.litellm_reply import MOST_USAGES, LiteLLMReply, Usages
from agent.models.port import Finished, ModelError, Reasoning, Text


def test_only_chunks_that_tell_usage_are_kept() -> None:
    usages = Usages()
    for used in (None, 1, None, 2):
        usages.append(SimpleNamespace(usage=used))
    usages.append(SimpleNamespace())
    assert [chunk.usage for chunk in usages] == [1, 2]


def test_of_many_the_first_and_the_last_are_kept() -> None:
    usages = Usages()
    for used in range(1, 101):
        usages.append(SimpleNamespace(usage=used))
    assert len(usages) == MOST_USAGES
    assert (usages[0].usage, usages[-1].usage) == (1, 100)


def heard(reason: str | None = None, usage: object = None, **said: object) -> SimpleNamespace:
    """A chunk as litellm passes it on."""
    delta = SimpleNamespace(**{"content": None, "tool_calls": None, **said})
    choice = SimpleNamespace(finish_reason=reason, delta=delta)
    return SimpleNamespace(choices=[choice], usage=usage)


@pytest.mark.parametrize(("asked", "answered"), [(-1, 2), (9, 10**30), ("9", 2), (9, None)])
def test_usage_that_cannot_be_is_not_told(asked: object, answered: object) -> None:
    reply = LiteLLMReply(ModuleType("litellm"), "some/model")
    usage = SimpleNamespace(prompt_tokens=asked, completion_tokens=answered)
    assert reply.take(heard("stop", usage)) == []
    assert reply.end(is_whole=True) == [Finished()]


def test_calls_that_are_none_are_garbled() -> None:
    reply = LiteLLMReply(ModuleType("litellm"), "some/model")
    with pytest.raises(ModelError) as raised:
        reply.take(heard(tool_calls="bash"))
    assert raised.value.code == "garbled"


def test_half_a_surrogate_pair_is_replaced() -> None:
    reply = LiteLLMReply(ModuleType("litellm"), "some/model")
    said = heard(content="Half \ud83d and \U0001f600", reasoning_content="\udc00, so")
    assert reply.take(said) == [Reasoning("\ufffd, so"), Text("Half \ufffd and \U0001f600")]
