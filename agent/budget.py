"""What a turn may use, and what it has used: model calls, tokens, dollars, seconds."""

from typing import Literal

from msgspec import Struct

from agent.history import Turn

RanOut = Literal["iterations", "tokens", "budget_usd", "time"]


class Allowance(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one turn; None is no limit. A configuration object."""

    max_iterations: int = 300
    max_tokens: int | None = None
    max_cost_usd: float | None = None
    max_seconds: float | None = None


def ran_out(turn: Turn, allowance: Allowance) -> RanOut | None:
    """What the turn has no more of. An unknown cost is not held against it."""
    tokens = turn.spent.input_tokens + turn.spent.output_tokens
    if turn.replies >= allowance.max_iterations:
        return "iterations"
    if allowance.max_tokens is not None and tokens >= allowance.max_tokens:
        return "tokens"
    if allowance.max_cost_usd is not None and (turn.spent.cost_usd or 0) >= allowance.max_cost_usd:
        return "budget_usd"
    if allowance.max_seconds is not None and turn.worked >= allowance.max_seconds:
        return "time"
    return None
