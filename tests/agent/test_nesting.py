"""JSON is taken up to a depth that every reader can climb."""

import pytest

from agent.nesting import DEEPEST, too_deep


def nested(levels: int, around: object = 1) -> object:
    value = around
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


@pytest.mark.parametrize("value", [1, "text", None, [], {}, nested(DEEPEST), nested(DEEPEST, ())])
def test_a_value_up_to_the_limit_is_taken(value: object) -> None:
    assert not too_deep(value)


@pytest.mark.parametrize("levels", [DEEPEST + 1, 50_000])
def test_a_deeper_one_is_not_and_harms_nobody(levels: int) -> None:
    assert too_deep(nested(levels))
