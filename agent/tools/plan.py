"""The plan tool: what the agent means to do, shown to the people who watch."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from agent.protocol import Effect, PlanStatus
from agent.protocol import PlanItem as Item
from agent.tools.port import Call, Outcome

MAX_ITEMS = 100


class PlanStep(Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1, max_length=64, description="Stays the same in updates.")]
    content: Annotated[str, Meta(min_length=1, max_length=2000, description="One step, short.")]
    status: PlanStatus


class PlanArguments(Struct, frozen=True, forbid_unknown_fields=True):
    items: Annotated[
        tuple[PlanStep, ...],
        Meta(max_length=MAX_ITEMS, description="The whole plan; it replaces the one before."),
    ]


class Plan:
    name = "plan"
    description = (
        "Write down or update your plan for work of three steps or more; the user watches it."
        " Always give the whole list. Keep exactly one step in_progress while you work, and mark"
        " a step completed as soon as it is done."
    )
    effect: Effect = "read"
    arguments: type[Struct] = PlanArguments

    async def run(self, arguments: Any, call: Call) -> Outcome:
        steps: tuple[PlanStep, ...] = arguments.items
        ids = [step.id for step in steps]
        if repeated := sorted({id for id in ids if ids.count(id) > 1}):
            return Outcome("error", f"Ids must be unique; given more than once: {repeated}.")
        lines = [f"[{_MARKS[step.status]}] {step.content}" for step in steps]
        if sum(step.status == "in_progress" for step in steps) > 1:
            lines.append("Note: more than one step is in_progress; keep it to one.")
        plan = tuple(Item(step.id, step.content, step.status) for step in steps)
        return Outcome("ok", "\n".join(lines) or "The plan is empty now.", plan)


_MARKS = {"pending": " ", "in_progress": ">", "completed": "x"}
