"""A whole session on doubles, and what must hold of its log whatever happened."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from agent.approval import Policy, Rule, Rules
from agent.budget import Allowance
from agent.errors import Problem, Unrecorded
from agent.history import History
from agent.means import Means
from agent.models.retry import Retries
from agent.protocol import (
    AnyEvent,
    AnySubmission,
    Approval,
    AssistantMessage,
    Decision,
    Delivery,
    Interrupt,
    Recorded,
    SessionCreated,
    ToolCall,
    ToolOutput,
    ToolStarted,
    TurnEnded,
    TurnStarted,
    UserInput,
    UserMessage,
)
from agent.receipts import Accepted
from agent.recovery import Draft, Interruption
from agent.session import Session
from agent.tools.plan import Plan
from agent.tools.research import Research, ResearchSettings
from agent.tools.toolbox import Toolbox
from tests.agent.doubles import (
    Asking,
    Broken,
    FakeWorkspace,
    Ids,
    Launching,
    OneModel,
    Quitting,
    ScriptedModel,
    Sleeper,
    Slots,
    Stubborn,
    Tool,
    Waiting,
    calm,
    executor,
    says,
    until,
)
from tests.agent.logs import numbered
from tests.agent.memory_journal import MemoryJournal

E = TypeVar("E")


class Answer:
    """What became of a submission: owned by the stage, so that no test has to wait for it."""

    def __init__(self, task: asyncio.Task[Accepted]) -> None:
        self.task = task

    @property
    def given(self) -> bool:
        return self.task.done()

    async def accepted(self) -> Accepted:
        return await self.task

    async def refused(self) -> str:
        """The code of the problem that it was answered with."""
        try:
            accepted = await self.task
        except Problem as problem:
            return problem.code
        raise AssertionError(f"it was accepted: {accepted}")


class Stage:
    """The doubles live longer than an actor: `wake` makes another one of what is on disk.

    It ends with the task that made it, which is the test, unless it `stays`.
    """

    def __init__(
        self,
        events: Sequence[AnyEvent] = (SessionCreated("m1", "A title"),),
        *,
        rules: tuple[Rule, ...] = (),
        allowance: Allowance = Allowance(),  # noqa: B008 - a frozen value
        queue_limit: int = 20,
        research: ResearchSettings = ResearchSettings(),  # noqa: B008 - a frozen value
        stays: bool = False,
    ) -> None:
        self.ran: list[str] = []
        self.echo = Tool("echo", "read", self.ran)
        self.write = Tool("write", "write", self.ran)
        self.publish = Tool("publish", "publish", self.ran)
        self.wait = Waiting("wait", "execute", self.ran)
        self.look = Waiting("look", "read", self.ran)
        self.ask = Asking("ask", "read", self.ran)
        self.stubborn = Stubborn("stubborn", "execute", self.ran)
        self.model = ScriptedModel()
        self.models = OneModel(self.model)
        self.workspace = FakeWorkspace()
        self.sleeper = Sleeper()
        self.slots = Slots()
        self.answers: list[Answer] = []
        self.faults: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.faults.append(f"{context['message']}: {context}")
        )
        tools = (
            *(self.echo, self.write, self.publish, self.wait, self.look, self.stubborn, self.ask),
            *(Plan(), Research()),
            Broken("broken", "read", self.ran),
            Quitting("quitting", "read", self.ran),
            Launching("launch", "execute", self.ran),
        )
        toolbox = Toolbox(tools, executor())
        self.means = Means(
            models=self.models,
            toolbox=toolbox,
            workspace=self.workspace,
            rules=Rules(Policy(rules=rules), toolbox.check),
            system_prompt="Be kind.",
            retries=Retries(),
            allowance=allowance,
            queue_limit=queue_limit,
            new_id=Ids(),
            admission=self.slots,
            sleep=self.sleeper,
            clock=lambda: 0.0,
            file_exists=lambda path: path != "missing",
            research=research,
            research_prompt="Look it up.",
        )
        self.journal = MemoryJournal(numbered(tuple(events)))
        self.wake()
        test = asyncio.current_task()
        if test is not None and not stays:
            test.add_done_callback(lambda _: self._leave())

    def _leave(self) -> None:
        self.stubborn.gate.open()
        if not self.session.failed.done():
            self.session.failed.set_result(Unrecorded("The test is over."))

    # -- actors --

    def wake(self, drafts: Sequence[Draft] = (), reason: str = "server_restart") -> None:
        """As a server does: what the actor before had not committed is gone."""
        self.journal = MemoryJournal(self.journal.disk, self.journal.receipts)
        self.history = History(self.journal.disk)
        self.session = Session(self.history, self.journal.receipts, self.journal, self.means)
        self.session.start(drafts, Interruption(reason))

    async def rest(self) -> None:
        await until(lambda: self.session.resting)

    async def crash(self) -> None:
        """Power fails and comes back: what is not on disk never was."""
        drafts = self.journal.drafts()
        while self.journal.held:
            self.journal.fail()
        self.stubborn.gate.open()
        await self.session.discard()
        await calm()
        self.wake(drafts)

    # -- people --

    async def send(self, submission: AnySubmission, by: str = "ann") -> Answer:
        """Judged when this returns; the answer may be on its way."""
        answer = Answer(asyncio.create_task(self.session.submit(submission, by)))
        self.answers.append(answer)
        await asyncio.sleep(0)
        return answer

    async def say(
        self, text: str = "Do it.", id: str = "u1", delivery: Delivery = "queue"
    ) -> Answer:
        return await self.send(UserInput(id, text, delivery))

    async def stop(self, id: str = "stop", **how: object) -> Answer:
        return await self.send(Interrupt(id, **how))  # type: ignore[arg-type]

    async def rule(self, id: str = "ruling", **rulings: str) -> Answer:
        """rule(publish="approve"): by the names of tools."""
        turn = self.history.open_turn
        assert turn is not None
        decisions = tuple(
            Decision(c.made.call, rulings[c.made.tool])  # type: ignore[arg-type]
            for c in turn.calls.values()
            if c.made.tool in rulings
        )
        return await self.send(Approval(id, decisions))

    # -- the server --

    def closing(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.session.close())

    def discarding(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.session.discard())

    # -- what is in the log --

    @property
    def log(self) -> list[AnyEvent]:
        return [entry.event for entry in self.journal.disk]

    @property
    def kinds(self) -> list[str]:
        """The names of the events on disk, without the creation."""
        return [type(event).__name__ for event in self.log[1:]]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.log if isinstance(event, kind)]


def check_log(entries: Sequence[Recorded]) -> None:
    """Dense; one end for each turn that is not open, one start, one output for each call."""
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    events = [e.event for e in entries]
    history = History(entries)
    is_open = history.open_turn.id if history.open_turn else None
    started = [e.turn for e in events if isinstance(e, TurnStarted)]
    ended = [e.turn for e in events if isinstance(e, TurnEnded)]
    assert len(set(started)) == len(started)
    assert ended == [turn for turn in started if turn != is_open]
    made = [e.call for e in events if isinstance(e, ToolCall)]
    answered = [e.call for e in events if isinstance(e, ToolOutput)]
    begun = [e.call for e in events if isinstance(e, ToolStarted)]
    waiting = [c.made.call for c in history.open_turn.open_calls] if history.open_turn else []
    assert sorted(answered) == sorted(set(made) - set(waiting))
    assert len(set(begun)) == len(begun)


def check_texts(stage: Stage) -> None:
    """What viewers saw of what was whole is what the log says."""
    for event in stage.log:
        match event:
            case AssistantMessage(item=item, text=said, partial=False):
                shown = stage.journal.texts.get(("text", item))
            case ToolOutput(call=item, output=said, truncated=False):
                shown = stage.journal.texts.get(("tool_log", item))
            case _:
                continue
        assert shown is None or (shown.shown, shown.closed) == (said, True)


async def check(stage: Stage) -> None:
    """What must hold of a session that came to rest, whatever happened to it."""
    await calm()
    assert stage.faults == []
    check_log(stage.journal.disk)
    check_texts(stage)
    assert vars(stage.history) == vars(History(stage.journal.disk))
    assert stage.session.resting
    assert stage.model.open == 0
    assert stage.slots.taken == 0
    assert len(set(stage.ran)) == len(stage.ran)
    assert all(answer.given for answer in stage.answers)


async def finish(stage: Stage) -> None:
    """Open every gate and let all that is left be done, with replies without end."""
    stage.model.replies += [says("Done.")] * 20
    stage.model.asides += [says("They talked.")] * 20
    for gate in (stage.slots.gate, stage.workspace.gate, stage.sleeper.gate, stage.wait.gate):
        if gate is not None:
            gate.open()
    for gate in stage.model.gates:
        gate.open()
    stage.journal.release()
    await stage.rest()
    await check(stage)


def effects(stage: Stage, id: str) -> int:
    """How often input with this id took effect: begun, joined or waiting."""
    said = [m.submission for m in stage.of(UserMessage)]
    return said.count(id) + (id in stage.history.queue)
