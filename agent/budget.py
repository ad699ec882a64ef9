"""What a turn may use, and what it has used: model calls, tokens, dollars, seconds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.history import Turn

RanOut = Literal["iterations", "tokens", "budget_usd", "time"]


class Allowance(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one turn; None is no limit. A configuration object."""

    max_iterations: Annotated[int, Meta(ge=1)] = 300
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_cost_usd: Annotated[float, Meta(gt=0)] | None = None
    max_seconds: Annotated[float, Meta(gt=0)] | None = None


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
