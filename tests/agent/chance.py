"""A session played by chance: the moves, and what must hold behind each of them."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.errors import Problem
from agent.history import History
from agent.models.port import CallFragment, Finished, Reasoning, Text
from agent.protocol import (
    AnySubmission,
    Approval,
    ApprovalResolved,
    Compact,
    Compacted,
    Decision,
    InputWithdrawn,
    Interrupt,
    JobEnded,
    Resume,
    Retry,
    SessionCreated,
    SetAutoApproval,
    SetModel,
    Shutdown,
    ToolStarted,
    TurnUndone,
    Undo,
    UserInput,
    UserMessage,
    Withdraw,
)
from tests.agent.doubles import Gate, Script, calls, calm, fails, says, until
from tests.agent.stage import Answer, Stage, check, check_log

T = TypeVar("T")
TOOLS = [
    ("echo", '{"text": "Echo."}'),
    ("write", "{}"),
    ("wait", '{"text": "Working."}'),
    ("stubborn", "{}"),
    ("broken", "{}"),
    ("quitting", "{}"),
    ("launch", "{}"),
    ("publish", "{}"),
    ("nosuch", "{}"),
    ("research", '{"task": "Look."}'),
    ("research", '{"task": "Look."}'),
    ("echo", "["),
    ("plan", '{"items": [{"id": "a", "content": "Read", "status": "pending"}]}'),
]
ENDINGS: list[Script] = [
    fails("overloaded"),
    fails("unauthorized", retryable=False),
    fails("context_overflow", retryable=False),
    (Text("Half a "), *fails("stream_cut")),
    (CallFragment(0, "echo", '{"te'), Finished(truncated=True)),
    (Reasoning("Hm."), ValueError("a fault")),
    (asyncio.CancelledError(),),
    says("Done."),
    says("Done, too."),
]
SUMMARIES: list[Script] = [
    says("They talked."),
    says(" "),
    fails("overloaded"),
    fails("unauthorized", retryable=False),
]
REPLIES: st.SearchStrategy[Script] = st.one_of(
    st.lists(st.sampled_from(TOOLS), min_size=1, max_size=3).map(
        lambda made: calls(*made, text="So:")
    ),
    st.sampled_from(ENDINGS),
)
FATES = st.sampled_from(["hold", "drop", "continue"])
TROUBLES = ["sleep", "restart", "power", "lost", "after the fact", *["sleep"] * 4, "shutdown"]
OLD = st.integers(0, 5)
"""Which of the last things that were sent, from the newest."""


class Sessions(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stage = self.run(self._new_stage())
        self.sent: list[tuple[AnySubmission, Answer]] = []
        self.reports: list[asyncio.Task[None]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """To its end, or not at all: nothing here takes time."""
        return self.loop.run_until_complete(self._bounded(work))

    async def _bounded(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        await until(task.done)
        return task.result()

    async def _new_stage(self) -> Stage:
        stage = Stage((SessionCreated("m1", ""),), queue_limit=3, stays=True)
        stage.journal.hold()
        return stage

    def send(self, submission: AnySubmission) -> None:
        answer = self.run(self.stage.send(submission))
        self.sent.append((submission, answer))

    def new_id(self) -> str:
        return f"s{len(self.sent)}"

    # -- people --

    @rule(
        replies=st.lists(REPLIES, max_size=3),
        stalls=st.booleans(),
        writes=st.booleans(),
        delivery=st.sampled_from(["queue", "queue", "steer"]),
    )
    def say(self, replies: list[Script], stalls: bool, writes: bool, delivery: Any) -> None:
        if stalls:
            replies = [(Text("Well, "), Gate(), *reply) for reply in replies]
        self.stage.model.replies += replies
        self.send(UserInput(self.new_id(), "Do it.", delivery))
        if writes:
            self.run(self._write())

    @rule(queue=FATES)
    def interrupt(self, queue: Any) -> None:
        self.send(Interrupt(self.new_id(), queue=queue))

    @rule(kind=st.sampled_from([Undo, Retry, Compact, Resume]), writes=st.booleans())
    def ask(self, kind: Any, writes: bool) -> None:
        if writes:
            self.run(self._write())
        self.send(kind(self.new_id()))

    @rule(enabled=st.booleans())
    def settle(self, enabled: bool) -> None:
        self.send(SetAutoApproval(self.new_id(), enabled))
        self.send(SetModel(self.new_id(), "m2" if enabled else "m1"))

    @rule(which=OLD)
    def withdraw(self, which: int) -> None:
        if self.sent:
            self.send(Withdraw(self.new_id(), self.sent[-1 - which % len(self.sent)][0].id))

    @rule(which=OLD, rulings=st.lists(st.sampled_from(["approve", "reject"]), max_size=2))
    def decide(self, which: int, rulings: list[Any]) -> None:
        turn = self.stage.history.open_turn
        known = list(turn.calls) if turn else []
        if ruled := tuple(Decision(c, r) for c, r in zip(known, rulings, strict=False)):
            self.send(Approval(self.new_id(), ruled))

    @rule(which=OLD)
    def repeat(self, which: int) -> None:
        if self.sent:
            self.send(self.sent[-1 - which % len(self.sent)][0])

    @rule(which=OLD)
    def go_away(self, which: int) -> None:
        if self.sent:
            self.sent[-1 - which % len(self.sent)][1].task.cancel()

    @rule(which=OLD)
    def end_a_job(self, which: int) -> None:
        """What watches it tells of it, once or twice, and asks again where it may."""
        jobs = [*self.stage.history.jobs.known]
        if jobs:
            ended = JobEnded(jobs[-1 - which % len(jobs)], "ok", "Bye.", 1.0)
            self.run(self._report(ended))

    async def _report(self, ended: JobEnded) -> None:
        self.reports.append(asyncio.create_task(self.stage.session.report(ended)))
        await asyncio.sleep(0)

    # -- the world --

    @rule(aside=st.sampled_from(SUMMARIES), stalls=st.booleans())
    def summarise(self, aside: Script, stalls: bool) -> None:
        self.stage.model.asides.append((Gate(), *aside) if stalls else aside)

    @rule(window=st.sampled_from([20, 60, 100_000]))
    def choose_a_window(self, window: int) -> None:
        self.stage.models.window = window

    @rule(which=st.sampled_from(["model", "wait", "stubborn"]))
    def let_go(self, which: str) -> None:
        stage = self.stage
        if which == "model":
            stage.model.waits_at.open()
        for tool in (stage.wait, stage.stubborn):
            if tool.name == which:
                tool.gate.open()
                tool.gate = Gate()

    @rule(gated=st.booleans())
    def sleep_and_keep(self, gated: bool) -> None:
        stage = self.stage
        for gate in (stage.sleeper.gate, stage.workspace.gate, stage.slots.gate):
            if gate is not None:
                gate.open()
        stage.sleeper.gate = stage.workspace.gate = stage.slots.gate = Gate() if gated else None

    @rule(rounds=st.integers(1, 12))
    def turn(self, rounds: int) -> None:
        self.run(self._turn(rounds))

    async def _turn(self, rounds: int) -> None:
        for _ in range(rounds):
            await asyncio.sleep(0)

    @rule(rounds=st.integers(0, 3))
    def land(self, rounds: int) -> None:
        self.stage.journal.land()
        self.run(self._turn(rounds))

    @rule()
    def write(self) -> None:
        """Everything that can be done without the test is done."""
        self.run(self._write())

    async def _write(self) -> None:
        for _ in range(12):
            while self.stage.journal.held:
                self.stage.journal.land()
            await self._turn(12)

    # -- the server --

    @rule(what=st.sampled_from(TROUBLES), landed=st.integers(0, 3))
    def trouble(self, what: str, landed: int) -> None:
        journal = self.stage.journal
        for _ in range(landed):
            journal.land()
        match what:
            case "shutdown":
                self.send(Shutdown(self.new_id()))
            case "restart":
                self.run(self._restart())
            case "power":
                self.run(self._crash())
            case "sleep" if self.stage.session.resting:
                self.run(self._wake())
            case "lost" | "after the fact" if journal.held:
                journal.fail("lost" if what == "lost" else "after the fact")
                self.run(self._after_failure())

    async def _wake(self) -> None:
        self.stage.wake(self.stage.journal.drafts())
        self.stage.journal.hold()

    async def _crash(self) -> None:
        self._open_all()
        await self.stage.crash()
        self.stage.journal.hold()

    async def _after_failure(self) -> None:
        await calm()
        assert self.stage.session.failed.done()
        await self._crash()

    async def _restart(self) -> None:
        closing = self.stage.closing()
        self.stage.journal.release()
        await self._open_until(closing)
        await self._wake()

    async def _open_until(self, done: asyncio.Task[None]) -> None:
        while not done.done():
            self._open_all()
            await self._turn(3)

    def _open_all(self) -> None:
        stage = self.stage
        self.sleep_and_keep(False)
        for gate in (*stage.model.gates, stage.wait.gate, stage.stubborn.gate):
            gate.open()
        stage.wait.gate, stage.stubborn.gate = Gate(), Gate()

    # -- what always holds --

    @invariant()
    def memory_is_the_log_and_what_is_on_its_way(self) -> None:
        journal = self.stage.journal
        pending = [entry for held in journal.held for entry in held.entries]
        if not self.stage.session.failed.done():
            assert vars(self.stage.history) == vars(History([*journal.disk, *pending]))

    @invariant()
    def no_tool_ran_twice_or_before_the_log_said_so(self) -> None:
        ran = self.stage.ran
        assert len(set(ran)) == len(ran)
        by_helpers = {id for id in ran if id.startswith("step")}
        assert set(ran) - by_helpers <= {e.call for e in self.stage.of(ToolStarted)}

    @invariant()
    def nothing_broke(self) -> None:
        assert self.stage.faults == []

    @invariant()
    def what_was_accepted_is_on_disk(self) -> None:
        kept = {r.id: r.seq for r in self.stage.journal.receipts}
        assert len(kept) == len(self.stage.journal.receipts)
        for submission, answer in self.sent:
            if answer.given and not answer.task.cancelled() and not answer.task.exception():
                assert answer.task.result().seq == kept[submission.id]

    def teardown(self) -> None:
        try:
            self.run(self._finish())
        finally:
            self.run(self._leave())
            self.loop.close()

    async def _leave(self) -> None:
        await self._open_until(self.stage.discarding())
        for told in await asyncio.gather(*self.reports, return_exceptions=True):
            assert isinstance(told, Problem | None)
        await self._turn(12)

    async def _finish(self) -> None:
        stage = self.stage
        stage.models.window = 100_000
        stage.model.replies[:] = [says("Done.")] * 40
        stage.model.asides[:] = [says("They talked.")] * 10
        stage.journal.release()
        for _ in range(200):
            self._open_all()
            await self._turn(20)
            if stage.session.resting:
                break
        await check(stage)
        check_log(stage.journal.disk)
        self._each_took_effect_once()

    def _each_took_effect_once(self) -> None:
        """What has a receipt took effect once, what was refused never."""
        stage = self.stage
        kept = {r.id for r in stage.journal.receipts}
        effects = Counter(m.submission for m in stage.of(UserMessage))
        effects.update(w.submission for w in stage.of(InputWithdrawn))
        effects.update(stage.history.queue.keys())
        effects.update(a.submission for a in stage.of(ApprovalResolved))
        effects.update(c.submission for c in stage.of(Compacted) if c.submission)
        undone = {u.submission for u in stage.of(TurnUndone)}
        effects.update(undone - set(effects))  # a retry is both, in one commit
        assert max(effects.values(), default=1) == 1
        counted = UserInput | Approval | Compact | Undo | Retry
        for submission, _ in self.sent:
            if isinstance(submission, counted):
                assert effects[submission.id] == (submission.id in kept)
            if submission.id not in kept:
                assert effects[submission.id] == 0
        assert all(isinstance(a.task.exception(), Problem | None) for _, a in self._answered())

    def _answered(self) -> list[tuple[AnySubmission, Answer]]:
        return [(s, a) for s, a in self.sent if not a.task.cancelled()]
