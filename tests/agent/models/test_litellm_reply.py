"""What litellm may keep of a stream."""

from types import SimpleNamespace

from agent.models.litellm_reply import MOST_USAGES, Usages


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
