"""What a tool is: arguments as a Struct, an effect, and a run that reports instead of raising."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

from agent.protocol import CallId, Effect, JobId, JsonObject, PlanItem
from agent.sandbox.port import Workspace
from agent.tools.mcp_grant import Login


class Launched(Struct, frozen=True):
    """A job that a call has started and that goes on by itself; a price of None is unknown."""

    job: JobId
    title: str
    url: str | None = None
    hardware: str | None = None
    cost_usd: float | None = None


class Outcome(Struct, frozen=True):
    """A tool's result. `output` is whole here; the toolbox cuts it. `plan` replaces the plan.

    `files` are paths in the workspace that hold what the output speaks of.
    """

    status: Literal["ok", "error"]
    output: str
    plan: tuple[PlanItem, ...] | None = None
    files: tuple[str, ...] = ()
    job: Launched | None = None


class Keys(Protocol):
    """The user's own credentials, as they are now; None where there is none."""

    def hub(self) -> str | None: ...

    def github(self) -> str | None: ...

    def secret(self, name: str) -> str | None:
        """One that the user keeps under that name, given where they consent to it by name."""
        ...

    def names(self) -> tuple[str, ...]:
        """Of all that there are."""
        ...

    def login(self, server: str) -> Login | None:
        """At a server of tools."""
        ...


class NoKeys:
    """Of somebody who has given none."""

    def hub(self) -> None:
        return None

    def github(self) -> None:
        return None

    def secret(self, name: str) -> None:
        return None

    def names(self) -> tuple[str, ...]:
        return ()

    def login(self, server: str) -> None:
        return None


class Inquiry(Struct, frozen=True):
    """What a server of tools wants of a person: what `fields` ask for (a JSON Schema object, one
    level deep), or that they open the page at `url`. `patience` is how long they may take, in
    seconds."""

    server: str
    text: str
    fields: JsonObject
    url: str | None = None
    patience: float = 3600


class Response(Struct, frozen=True):
    """What the person says; `content` comes with `accept`."""

    action: Literal["accept", "decline", "cancel"]
    content: JsonObject | None = None


async def nobody(_: Inquiry) -> Response:
    """Where there is no person to ask."""
    return Response("decline")


class Assignment(Struct, frozen=True):
    """What a helper of the agent is to find out, and what it has to know for that."""

    task: str
    context: str = ""


Study = Callable[[Assignment, Callable[[str], None]], Awaitable[Outcome]]
"""(what to find out, where to show what is done for it) -> what was found."""


async def no_helper(_: Assignment, show: Callable[[str], None]) -> Outcome:
    """Where there is nobody to give it to: a helper has none of its own."""
    return Outcome("error", "There is no helper here. Look yourself.")


class Call(Struct, frozen=True):
    """What a tool may touch while it runs; `show` adds to its live output and never waits."""

    id: CallId
    workspace: Workspace
    show: Callable[[str], None]
    keys: Keys = NoKeys()
    ask: Callable[[Inquiry], Awaitable[Response]] = nobody
    study: Study = no_helper


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


@runtime_checkable
class Informed(Protocol):
    """A tool whose stakes depend on what a service says of them."""

    async def learn(self, keys: Keys) -> None:
        """Ask that service, before a person is told of the stakes; not for long, and never raise:
        where it does not tell, they are what they were."""
        ...


@runtime_checkable
class Foreign(Protocol):
    """A tool of somebody else's making: a JSON Schema says what it takes."""

    name: str
    description: str
    effect: Effect
    schema: JsonObject

    def wrong(self, arguments: JsonObject) -> str | None:
        """What is wrong with the arguments; None: nothing that can be seen from here."""
        ...

    async def run(self, arguments: Any, call: Call) -> Outcome: ...


class News(Struct, frozen=True):
    """A note of a source, for the model and for people."""

    code: str
    text: str


class Source(Protocol):
    """Tools that come and go while a session lives."""

    def tools(self) -> Sequence[Foreign]: ...

    async def news(self) -> tuple[News, ...]:
        """What has happened to them since the last time. Before the first tools are known, it
        waits for them, but not for long."""
        ...
