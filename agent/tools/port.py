"""What a tool is: arguments as a Struct, an effect, and a run that reports instead of raising."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

from agent.protocol import CallId, Effect, PlanItem
from agent.sandbox.port import Workspace


class Outcome(Struct, frozen=True):
    """A tool's result. `output` is whole here; the toolbox cuts it. `plan` replaces the plan."""

    status: Literal["ok", "error"]
    output: str
    plan: tuple[PlanItem, ...] | None = None


class Keys(Protocol):
    """The user's own credentials, as they are now; None where there is none."""

    def hub(self) -> str | None: ...

    def github(self) -> str | None: ...


class NoKeys:
    """Of somebody who has given none."""

    def hub(self) -> None:
        return None

    def github(self) -> None:
        return None


class Call(Struct, frozen=True):
    """What a tool may touch while it runs; `show` adds to its live output and never waits."""

    id: CallId
    workspace: Workspace
    show: Callable[[str], None]
    keys: Keys = NoKeys()


class Stakes(Struct, frozen=True):
    """What a call may do, and cost: in dollars, None where it has no price or nobody knows it."""

    effect: Effect
    cost_usd: float | None = None


class Tool(Protocol):
    """`arguments` is a Struct type (forbid_unknown_fields) whose fields carry Meta descriptions:
    it is the schema the model is given and the validation in one. `effect` is the gravest that a
    call of it can have."""

    name: str
    description: str
    effect: Effect
    arguments: type[Struct]

    async def run(self, arguments: Any, call: Call) -> Outcome: ...


@runtime_checkable
class Weighed(Protocol):
    """A tool whose stakes depend on what it is asked to do."""

    def stakes(self, arguments: Any) -> Stakes: ...
