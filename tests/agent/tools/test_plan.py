"""The plan tool replaces the plan, and keeps it unambiguous."""

import pytest

from agent.protocol import PlanItem, PlanStatus
from agent.tools.plan import Plan, PlanArguments, PlanStep
from agent.tools.port import Outcome
from tests.agent.tools.calls import Calls


async def planned(calls: Calls, *steps: tuple[str, PlanStatus]) -> Outcome:
    items = tuple(PlanStep(id, f"step {id}", status) for id, status in steps)
    return await Plan().run(PlanArguments(items), calls())


async def test_a_plan_is_shown_and_replaces_the_one_before(calls: Calls) -> None:
    outcome = await planned(calls, ("1", "completed"), ("2", "in_progress"), ("3", "pending"))
    assert outcome.output == "[x] step 1\n[>] step 2\n[ ] step 3"
    assert outcome.plan == (
        PlanItem("1", "step 1", "completed"),
        PlanItem("2", "step 2", "in_progress"),
        PlanItem("3", "step 3", "pending"),
    )


async def test_ids_given_twice_leave_the_plan_as_it_is(calls: Calls) -> None:
    outcome = await planned(calls, ("1", "pending"), ("1", "pending"))
    assert (outcome.status, outcome.plan) == ("error", None)
    assert "'1'" in outcome.output


@pytest.mark.parametrize(("busy", "advised"), [(1, False), (2, True)])
async def test_one_step_at_a_time_is_advised(calls: Calls, busy: int, advised: bool) -> None:
    outcome = await planned(calls, *((str(n), "in_progress") for n in range(busy)))
    assert ("Note:" in outcome.output) == advised
    assert outcome.status == "ok"


async def test_an_empty_plan_is_a_plan(calls: Calls) -> None:
    outcome = await planned(calls)
    assert (outcome.output, outcome.plan) == ("The plan is empty now.", ())
