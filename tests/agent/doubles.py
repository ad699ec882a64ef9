"""Doubles for the actor: whatever it waits for is a gate in the test's hands."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from agent.errors import Problem, Unrecorded
from agent.journal import Activity, Commit, Fold, GrowthKind, NewReceipt, Receipt
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
    AnyEvent,
    AssistantMessage,
    Effect,
    Recorded,
    ToolOutput,
    TurnId,
)
from agent.recovery import Draft
from agent.tools.port import Call, Outcome
from tests.agent.logs import AT

PATIENCE = 5_000
"""Rounds of the loop until a test gives up: nothing here takes time, so few are enough."""


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until it holds."""
    for _ in range(PATIENCE):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


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


# ---- the journal -------------------------------------------------------------------------------


Failure = Literal["lost", "after the fact"]


class Held(Struct, frozen=True):
    """A commit on its way."""

    entries: tuple[Recorded, ...]
    receipts: tuple[NewReceipt, ...]
    done: asyncio.Future[None]
    number: int


class GrowingText:
    """What viewers saw of an item; `closed` from the moment that its end was handed over."""

    def __init__(self, turn: TurnId) -> None:
        self.turn = turn
        self.shown = ""
        self.closed = False

    def grow(self, text: str) -> None:
        assert not self.closed, "an item grew after its end"
        self.shown += text


class MemoryJournal:
    """Implements agent.journal.Journal. `disk` and `receipts` are what a crash leaves.

    Commits land by themselves in the next round of the loop, unless the test holds them.
    """

    def __init__(self, disk: Iterable[Recorded] = (), receipts: Iterable[Receipt] = ()) -> None:
        self.disk = list(disk)
        self.receipts = list(receipts)
        self.held: list[Held] = []
        self._holding = False
        self._hold_at: type[AnyEvent] | None = None
        self.broken: Problem | None = None
        """Raised instead of taking what is handed over."""
        self.fail_at: int | None = None
        """Which commit fails, counted from 0, and how."""
        self.fail_how: Failure = "lost"
        self.commits = 0
        self.texts: dict[tuple[GrowthKind, str], GrowingText] = {}
        self.activities: list[Activity | None] = []
        self.handed = len(self.disk)
        self._lost = False

    def record(
        self, events: Sequence[AnyEvent], receipts: Sequence[NewReceipt], fold: Fold
    ) -> Commit:
        entries = tuple(Recorded(self.handed + n, AT, e) for n, e in enumerate(events, 1))
        assert entries, "an empty commit"
        self.handed += len(entries)
        fold(entries)
        if self.broken is not None:
            raise self.broken
        for event in events:
            self._close(event)
        done = asyncio.get_running_loop().create_future()
        commit = Held(entries, tuple(receipts), done, self.commits)
        self.commits += 1
        self.held.append(commit)
        if self._hold_at is not None and any(isinstance(e, self._hold_at) for e in events):
            self._holding = True
        if not self._holding:
            asyncio.get_running_loop().call_soon(self._land_by_itself, commit)
        return Commit(entries, done)

    def open(self, kind: GrowthKind, turn: TurnId, item: str) -> GrowingText:
        assert (kind, item) not in self.texts, "an item was opened twice"
        text = self.texts[kind, item] = GrowingText(turn)
        return text

    def activity(self, activity: Activity | None) -> None:
        self.activities.append(activity)

    # -- for the test --

    @property
    def is_holding(self) -> bool:
        return self._holding

    def hold(self, at: type[AnyEvent] | None = None) -> None:
        """From now on, or from the first with such an event, commits wait for the test."""
        self._hold_at = at
        self._holding = at is None

    def land(self) -> None:
        """The oldest commit is on disk."""
        if not self.held:
            return
        if self.held[0].number == self.fail_at:
            self.fail(self.fail_how)
            return
        commit = self.held.pop(0)
        if self._lost:
            commit.done.set_exception(Unrecorded("There is a hole before it."))
            return
        self._write(commit)
        commit.done.set_result(None)

    def release(self) -> None:
        """Let all commits land, and those to come."""
        self._hold_at, self._holding = None, False
        while self.held:
            self.land()

    def fail(self, how: Failure = "lost") -> None:
        """The oldest commit fails; where it was written nevertheless, nobody was told."""
        commit = self.held.pop(0)
        if how == "lost":
            self._lost = True
        else:
            self._write(commit)
        commit.done.set_exception(Unrecorded("The disk is full."))

    def drafts(self) -> list[Draft]:
        """What was kept of the texts whose end is not on disk."""
        ended = {e.event.item for e in self.disk if isinstance(e.event, AssistantMessage)}
        ended |= {e.event.call for e in self.disk if isinstance(e.event, ToolOutput)}
        return [
            Draft(text.turn, item, kind, text.shown)
            for (kind, item), text in self.texts.items()
            if item not in ended
        ]

    def _land_by_itself(self, commit: Held) -> None:
        if self.held and self.held[0] is commit:
            self.land()

    def _write(self, commit: Held) -> None:
        assert commit.entries[0].seq == len(self.disk) + 1, "a hole in the log"
        self.disk += commit.entries
        first = commit.entries[0].seq
        self.receipts += [Receipt(r.id, r.fingerprint, first) for r in commit.receipts]

    def _close(self, event: AnyEvent) -> None:
        match event:
            case AssistantMessage(item=item):
                pass
            case ToolOutput(call=item):
                pass
            case _:
                return
        for (_, of), text in self.texts.items():
            text.closed = text.closed or of == item


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


class Broken(Tool):
    async def go_on(self, arguments: Any, call: Call) -> Outcome:
        raise RuntimeError("a fault inside")


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
