"""Doubles for the actor: whatever it waits for is a gate in the test's hands."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import Struct

from agent.models.port import (
    CallFragment,
    Finished,
    ModelError,
    ModelRequest,
    Piece,
    Text,
    Used,
)
from agent.protocol import (
    Effect,
    TurnId,
)
from agent.tools.port import Call, Inquiry, Launched, Outcome, Response, nobody

PATIENCE = 60.0
"""Seconds until a test gives up: only what is saved by a thread takes any time here."""


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until it holds."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never came to that"
        await asyncio.sleep(0)


async def calm() -> None:
    """Let everything happen that can happen without the test."""
    for _ in range(60):
        await asyncio.sleep(0)


class Gate:
    """A place where the actor waits until the test opens it."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._open = asyncio.Event()

    @property
    def was_reached(self) -> bool:
        return self._reached.is_set()

    async def wait(self) -> None:
        self._reached.set()
        await self._open.wait()

    async def reached(self) -> None:
        await until(self._reached.is_set)

    def open(self) -> None:
        self._open.set()


# ---- models ------------------------------------------------------------------------------------

Act = Piece | Gate | BaseException
Script = Sequence[Act]


def says(text: str, used: tuple[int, int] = (10, 2)) -> Script:
    return (Text(text), Used(*used), Finished())


def calls(*made: tuple[str, str], text: str = "") -> Script:
    """calls(("echo", '{"text": "a"}'), ...): a reply that makes these calls."""
    spoken: Script = (Text(text),) if text else ()
    fragments = (CallFragment(n, name, arguments) for n, (name, arguments) in enumerate(made))
    return (*spoken, *fragments, Used(10, 2), Finished())


def fails(code: str = "overloaded", *, retryable: bool = True) -> Script:
    return (ModelError(code, f"It is {code}.", retryable=retryable),)


class ScriptedModel:
    """Plays one script for each request: `replies` for requests with tools, else `asides`.

    Without a script it stalls, until the test opens its gate. `open` counts streams that were not
    closed.
    """

    def __init__(self) -> None:
        self.replies: list[Script] = []
        self.asides: list[Script] = []
        self.requests: list[ModelRequest] = []
        self.open = 0
        self.waits_at = Gate()
        """Where it came to last."""
        self.gates: list[Gate] = []

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        self.requests.append(request)
        self.open += 1
        try:
            scripts = self.replies if request.tools else self.asides
            for act in scripts.pop(0) if scripts else (Gate(), *says("Done.")):
                match act:
                    case Gate():
                        self.waits_at = act
                        self.gates.append(act)
                        await act.wait()
                    case BaseException():
                        raise act
                    case piece:
                        yield piece
                await asyncio.sleep(0)
        finally:
            self.open -= 1

    async def warm(self) -> None: ...

    async def close(self) -> None: ...


class OneModel:
    """All models are one; `context` is its window in tokens."""

    def __init__(self, model: ScriptedModel, context: int = 100_000) -> None:
        self.model = model
        self.window = context

    def knows(self, model: str) -> bool:
        return model.startswith("m")

    def context(self, model: str) -> int:
        return self.window

    def adapter(self, model: str) -> ScriptedModel:
        return self.model


# ---- the workspace and the tools -----------------------------------------------------------------


class FakeWorkspace:
    """Counts what is asked of it. `gate` holds back, `problem` fails, `gone` has no checkpoint."""

    tree = Path("/nowhere")

    def __init__(self) -> None:
        self.checkpoints: list[TurnId] = []
        self.rewinds: list[frozenset[TurnId]] = []
        self.gate: Gate | None = None
        self.problem: BaseException | None = None
        self.gone = False

    async def checkpoint(self, turn: TurnId) -> None:
        await self._pass()
        self.checkpoints.append(turn)

    async def rewind(self, undone: Collection[TurnId]) -> bool:
        await self._pass()
        self.rewinds.append(frozenset(undone))
        return not self.gone

    async def _pass(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    text: str = ""


class Tool:
    """Shows its text and is done; `ran` is what was run, by any tool of the bench."""

    description = "A tool."
    arguments: type[Struct] = Words

    def __init__(self, name: str, effect: Effect, ran: list[str]) -> None:
        self.name = name
        self.effect = effect
        self._ran = ran

    async def run(self, arguments: Any, call: Call) -> Outcome:
        self._ran.append(call.id)
        call.show(arguments.text)
        return await self.go_on(arguments, call)

    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        return Outcome("ok", arguments.text)


class Waiting(Tool):
    """Waits to be let go, after it showed its text."""

    def __init__(self, name: str, effect: Effect, ran: list[str]) -> None:
        super().__init__(name, effect, ran)
        self.gate = Gate()

    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        await self.gate.wait()
        return Outcome("ok", arguments.text)


class Stubborn(Waiting):
    """Does not mind being cancelled until it is let go; then it claims to be done."""

    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            call.show("(not yet)")
            await self.gate.wait()
        return Outcome("ok", arguments.text)


class Asking(Tool):
    """Asks a person, from a task that is not its own, as one that keeps a connection does."""

    def __init__(self, name: str, effect: Effect, ran: list[str]) -> None:
        super().__init__(name, effect, ran)
        self.inquiry = Inquiry("shop", "Who?", {"properties": {"name": {"type": "string"}}})
        self.times = 1
        self.asking: list[asyncio.Task[Response]] = []
        self.impatient = asyncio.Event()
        self._ask: Callable[[Inquiry], Awaitable[Response]] = nobody

    async def again(self) -> Response:
        """As a server does that does not know that its call is over."""
        return await self._ask(self.inquiry)

    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        self._ask = call.ask
        said = "Nothing."
        for _ in range(self.times):
            task = asyncio.ensure_future(call.ask(self.inquiry))
            self.asking.append(task)
            hurry = asyncio.create_task(self.impatient.wait())
            await asyncio.wait([task, hurry], return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
            if not task.done():
                return Outcome("ok", "I did not wait.")
            if task.cancelled():
                return Outcome("ok", "taken back")
            said = f"{task.result().action} {task.result().content}"
        return Outcome("ok", said)


class Broken(Tool):
    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        raise RuntimeError("a fault inside")


class Launching(Tool):
    """Leaves a job behind."""

    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        return Outcome("ok", "It runs.", job=Launched(f"ada/{call.id}", "a training"))


class Quitting(Tool):
    """Is cancelled by something of its own."""

    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        raise asyncio.CancelledError


class Sleeper:
    """Does not sleep: notes for how long it was asked to, and waits at `gate` if there is one."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.gate: Gate | None = None

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.gate is not None:
            await self.gate.wait()


class Slots:
    """Lets turns run; with a `gate` they wait for their slot."""

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.taken = 0
        self.problem_on_leaving: BaseException | None = None

    @asynccontextmanager
    async def __call__(self, waiting: Callable[[], None]) -> AsyncIterator[None]:
        if self.gate is not None:
            waiting()
            await self.gate.wait()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
        if self.problem_on_leaving is not None:
            raise self.problem_on_leaving


class Ids:
    """c1, c2, ...: unique over actors of one session, too."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers)}"


def executor() -> ThreadPoolExecutor:
    """Only outputs that are too long to show are saved on it."""
    return ThreadPoolExecutor(1)
