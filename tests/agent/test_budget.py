"""What a turn may use, and what it ran out of."""

import pytest

from agent.budget import Allowance, ran_out
from agent.folded import Spent, Turn
from agent.protocol import UserMessage

HEARD = UserMessage("t1", "s1", "Hi.", "ann")


@pytest.mark.parametrize(
    ("allowance", "seconds", "reason"),
    [
        pytest.param(Allowance(), 1e9, None, id="without a limit there is enough"),
        pytest.param(Allowance(4, 101, 0.6, 61.0), 60.0, None, id="below each limit"),
        pytest.param(Allowance(max_iterations=3), 0.0, "iterations", id="as many model calls"),
        pytest.param(Allowance(max_tokens=100), 0.0, "tokens", id="as many tokens"),
        pytest.param(Allowance(max_cost_usd=0.5), 0.0, "budget_usd", id="as many dollars"),
        pytest.param(Allowance(max_seconds=60.0), 60.0, "time", id="as many seconds"),
        pytest.param(Allowance(3, 100, 0.5, 60.0), 60.0, "iterations", id="the first is named"),
    ],
)
def test_a_turn_ran_out_of(allowance: Allowance, seconds: float, reason: str | None) -> None:
    turn = Turn("t1", "s1", HEARD, 1, 0, spent=Spent(90, 10, 0.5), replies=3, worked=seconds)
    assert ran_out(turn, allowance) == reason


def test_an_unknown_cost_is_not_held_against_a_turn() -> None:
    turn = Turn("t1", "s1", HEARD, 1, 0, spent=Spent(90, 10, None))
    assert ran_out(turn, Allowance(max_cost_usd=0.1)) is None
