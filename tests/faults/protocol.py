"""A model of the whole session protocol, played against a real server that is killed at times.

The model knows only what clients are told: what was sent, what was answered, what viewers have.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.client import WITHIN, Viewer, new_id
from tests.faults.report import Report
from tests.faults.scene import effects, world
from tests.faults.talk import EFFECTS, marks_on_disk
from tests.faults.trial import lawful
from tests.model_server import CallScript, Gate, Reply, Seen
from tests.oracle import Frame
from tests.stories.scene import Story, bash, calls

T = TypeVar("T")
MOST_VIEWERS = 3
REPLIES = ("words", "words", "a call", "two calls", "a question", "a long call", "silence", "busy")
MAKE_ROOM = "Make room"


class World:
    """One server and one loop for all examples; each has a session of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory(prefix="mooring-protocol-")
        self._world = world(Path(self._folder.name), live_sessions=1)
        self.story = self.run(self._world.__aenter__())
        self.marks = 0
        self.steps = 0
        self.events = 0
        self.kills = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, WITHIN * 2))

    def close(self) -> None:
        try:
            self.run(self._world.__aexit__(None, None, None))
        finally:
            self.loop.close()
            self._folder.cleanup()


class Protocol(RuleBasedStateMachine):
    """`world` is set by whoever runs it."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.viewers: list[Viewer] = []
        self.sent: dict[str, Frame] = {}
        self.answers: dict[str, Frame] = {}
        self.unanswered: set[str] = set()
        """Sent right before the power failed: whether they acted, their repeat will tell."""
        self.named: dict[str, str] = {}
        """Interrupts that were accepted, and which turn they named."""
        self.most = marks_on_disk(Path("nowhere"))
        self.replies: list[str] = []
        self.stack = AsyncExitStack()
        self.story: Story
        self.session = ""
        self.neighbour = ""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.world.run(work)

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        self.world.story.model.fresh()
        self.world.story.model.answer = self._answer
        await self._connect()
        self.session = await self.story.api.session()
        self.neighbour = await self.story.api.session()
        self.viewers.append(await self.story.join(self.session))

    async def _connect(self) -> None:
        self.story = Story(self.world.story.server, self.world.story.model, self.stack)
        await self.story.connect()

    def _answer(self, seen: Seen) -> Reply | None:
        if not seen.body.get("tools"):
            return Reply(text="A summary.")
        if MAKE_ROOM in str(seen.messages[-1]):
            return Reply(text="Here I am.")
        match self.replies.pop(0) if self.replies else "words":
            case "a call":
                return calls(self._mark(), text="Let me see.")
            case "two calls":
                return calls(self._mark(), self._mark())
            case "a question":
                return calls(self._mark("; : please-ask"), self._mark())
            case "a long call":
                return calls(self._mark("; sleep 2"))
            case "silence":
                return Reply(text="Well, let me think.", hold={1: Gate()})
            case "busy":
                return Reply(status=503, body={"error": {"message": "busy"}})
            case _:
                return Reply(text="All right, that is done.", reasoning="Hm.")

    def _mark(self, then: str = "") -> CallScript:
        self.world.marks += 1
        return bash(f"echo mark-p{self.world.marks} >> {EFFECTS}{then}")

    # ---- what people do ------------------------------------------------------------------------

    @rule(
        replies=st.lists(st.sampled_from(REPLIES), max_size=3),
        delivery=st.sampled_from(["queue", "queue", "steer"]),
        who=st.integers(0, MOST_VIEWERS - 1),
    )
    def say(self, replies: list[str], delivery: str, who: int) -> None:
        self.replies += replies
        self._ask(who, "user_input", text="Do it.", delivery=delivery)

    @rule(
        ruling=st.sampled_from(["approve", "approve", "edit", "remember", "reject"]),
        who=st.integers(0, 2),
    )
    def decide(self, ruling: str, who: int) -> None:
        """What is edited leaves its mark all the same."""
        asked = [event for viewer in self.viewers for event in viewer.of("approval_required")]
        nobody: Frame = {"call": "nobody", "arguments": {}}
        question = asked[-1]["calls"][0] if asked else nobody
        decision: Frame = {"call": question["call"], "decision": "approve"}
        if ruling == "edit":
            command = question["arguments"].get("command", "true")
            decision["arguments"] = {"command": f"{command}; : edited"}
        elif ruling == "remember":
            decision["remember"] = "session"
        else:
            decision["decision"] = ruling
        self._ask(who, "approval", decisions=[decision])

    @rule(queue=st.sampled_from(["hold", "drop", "continue"]), who=st.integers(0, 2))
    def interrupt(self, queue: str, who: int) -> None:
        self._ask(who, "interrupt", queue=queue)

    @rule(which=st.sampled_from(["this", "one before", "none"]), who=st.integers(0, 2))
    def interrupt_a_turn(self, which: str, who: int) -> None:
        """Never another one than was named."""
        turns = [e["turn"] for v in self.viewers[-1:] for e in v.of("turn_started")]
        names = {"this": turns[-1:], "one before": turns[-2:-1]}.get(which, [])
        turn = names[0] if names else "turn_of_nobody"
        name = self._ask(who, "interrupt", turn=turn)
        if name in self.answers:
            self.named[name] = turn

    @rule(
        frame=st.sampled_from(
            [
                {"type": "set_model", "model": "openai/test-model"},
                {"type": "set_model", "model": "openai/nobody"},
                {"type": "set_auto_approval", "enabled": True},
                {"type": "set_auto_approval", "enabled": False},
                {"type": "set_auto_approval", "enabled": True, "cost_cap_usd": 1.5},
                {"type": "answer", "question": "of_nobody", "action": "decline"},
            ]
        ),
        who=st.integers(0, 2),
    )
    def settle_things(self, frame: Frame, who: int) -> None:
        self._send(who, {**frame, "id": new_id()})

    @rule(who=st.integers(0, 2))
    def ping(self, who: int) -> None:
        self.run(self._ping(who))

    async def _ping(self, who: int) -> None:
        frame = {"type": "ping", "id": new_id()}
        answer = await (await self._viewer(who)).ask(frame, within=WITHIN)
        assert answer["type"] == "pong", answer

    @rule()
    def somebody_else_needs_the_room(self) -> None:
        """A session at rest leaves memory for it: one may live."""
        self.run(self._make_room())

    async def _make_room(self) -> None:
        frame = {"type": "user_input", "id": new_id(), "text": MAKE_ROOM}
        answer = await self.story.api.submit(self.neighbour, frame)
        assert answer.status in (200, 503), answer

    @rule(kind=st.sampled_from(["undo", "retry", "compact", "resume"]), who=st.integers(0, 2))
    def manage(self, kind: str, who: int) -> None:
        self._ask(who, kind)

    @rule(which=st.integers(0, 5), who=st.integers(0, 2))
    def withdraw(self, which: int, who: int) -> None:
        said = [name for name, frame in self.sent.items() if frame["type"] == "user_input"]
        self._ask(who, "withdraw", submission=said[-1 - which % len(said)] if said else "never")

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 8), who=st.integers(0, 2))
    def say_again(self, which: int, who: int) -> None:
        names = list(self.sent)
        self._send(who, self.sent[names[-1 - which % len(names)]])

    def _ask(self, who: int, kind: str, **fields: Any) -> str:
        name = new_id()
        self._send(who, {"type": kind, "id": name, **fields})
        return name

    def _send(self, who: int, frame: Frame) -> None:
        self.run(self._sent(who, frame))

    async def _sent(self, who: int, frame: Frame) -> None:
        viewer = await self._viewer(who)
        self._judge_answer(frame, await viewer.ask(frame, within=WITHIN))

    async def _viewer(self, who: int) -> Viewer:
        if not self.viewers:
            self.viewers.append(await self.story.join(self.session))
        return self.viewers[who % len(self.viewers)]

    def _judge_answer(self, frame: Frame, answer: Frame) -> None:
        """Accepted once is accepted for good, under the same number."""
        name = frame["id"]
        self.sent[name] = frame
        known = self.answers.get(name)
        if known is not None:
            assert answer == {**known, "duplicate": True}, (frame, known, answer)
        elif answer["type"] == "accepted":
            acted_before = answer.pop("duplicate", False)
            assert name in self.unanswered or not acted_before, (frame, answer)
            self.answers[name] = answer
        self.unanswered.discard(name)

    # ---- what happens to them ------------------------------------------------------------------

    @rule(who=st.integers(0, 2), gently=st.booleans())
    def lose(self, who: int, gently: bool) -> None:
        if self.viewers:
            viewer = self.viewers.pop(who % len(self.viewers))
            if gently:
                self.run(viewer.leave())
            else:
                viewer.cut()

    @precondition(lambda self: len(self.viewers) < MOST_VIEWERS)
    @rule(deltas=st.sampled_from(["all", "none"]), back=st.booleans())
    def join(self, deltas: str, back: bool) -> None:
        log = self.viewers.pop().cut() if back and self.viewers else None
        self.viewers.append(self.run(self.story.join(self.session, log=log, deltas=deltas)))

    @rule(gently=st.sampled_from([False, False, True]))
    def power_fails(self, gently: bool) -> None:
        self.run(self._power_fails(gently))

    @rule(kind=st.sampled_from(["user_input", "user_input", "interrupt", "undo", "retry"]))
    def power_fails_behind(self, kind: str) -> None:
        """Something that is said in the last moment; said again it has acted, or acts."""
        self.run(self._power_fails_behind(kind))

    async def _power_fails_behind(self, kind: str) -> None:
        frame: Frame = {"type": kind, "id": new_id()}
        if kind == "user_input":
            frame["text"] = "Do it."
        await (await self._viewer(0)).tell(frame)
        self.sent[frame["id"]] = frame
        self.unanswered.add(frame["id"])
        await self._power_fails(gently=False)

    async def _power_fails(self, gently: bool) -> None:
        server = self.story.server
        if gently:
            assert await server.terminate() == 0
        else:
            self.world.kills += 1
            await server.kill9()
        self.most |= marks_on_disk(server.data / "workspaces" / self.session)
        logs = [viewer.log for viewer in self.viewers]
        for viewer in self.viewers:
            viewer.check()
        await self.stack.aclose()
        await server.start()
        await self._connect()
        self.viewers = [await self.story.join(self.session, log=log) for log in logs]

    @rule()
    def fork(self) -> None:
        self.run(self._fork())

    async def _fork(self) -> None:
        ended = any(e["type"] == "turn_ended" for e in await self.story.api.events(self.session))
        answer = await self.story.api.call("POST", f"/api/sessions/{self.session}/fork", {})
        assert answer.status == 201 or (answer.status == 409 and not ended), answer
        if answer.status == 201:
            stored = await self.story.api.events(answer.json["id"])
            lawful(stored)
            trunk = await self.story.api.events(self.session)
            turn = stored[0]["forked_from"]["turn"]
            ends = [e["seq"] for e in stored if e["type"] == "turn_ended" and e["turn"] == turn]
            assert stored[1 : ends[0]] == trunk[1 : ends[0]], (stored, trunk)
            own = {event["type"] for event in stored[ends[0] :]}
            assert own <= {"input_withdrawn", "notice"}, own
            gone = await self.story.api.call("DELETE", f"/api/sessions/{answer.json['id']}")
            assert gone.status == 204, gone

    # ---- what always holds ---------------------------------------------------------------------

    @invariant()
    def every_viewer_has_a_part_of_the_log_and_the_log_is_right(self) -> None:
        if self.session:
            self.run(self._look())

    async def _look(self) -> None:
        stored = await self.story.api.events(self.session)
        lawful(stored)
        self.world.steps += 1
        report = Report()
        report.log(stored)
        for viewer in self.viewers:
            viewer.check()
            seen = [event for event in viewer.events if event["seq"] <= len(stored)]
            report.seen(seen, stored, whole=False)
        said = [name for name, frame in self.sent.items() if frame["type"] == "user_input"]
        begun = {name: self.answers[name]["seq"] for name in said if name in self.answers}
        report.submissions(stored, said, begun)
        refused = set(self.sent) - set(self.answers) - self.unanswered
        acted = {event.get("submission") for event in stored if event["type"] != "input_withdrawn"}
        assert not refused & acted, refused & acted
        ended = {event["turn"]: event for event in stored if event["type"] == "turn_ended"}
        for name, turn in self.named.items():
            assert ended[turn]["status"] == "interrupted", (name, ended[turn])
        assert report.clean, report.printed()

    def teardown(self) -> None:
        try:
            if self.session:
                self.run(self._end())
        finally:
            self.run(self.stack.aclose())

    async def _end(self) -> None:
        """At rest everybody has all of it, and no call ran more often than it was started."""
        self.replies.clear()
        viewer = await self.story.join(self.session)
        for name in sorted(self.unanswered):
            self._judge_answer(self.sent[name], await viewer.ask(self.sent[name]))
        while (row := await self.story.api.look(self.session))["state"] != "idle" or row["queue"]:
            if row["state"] == "idle":
                await viewer.ask({"type": "resume", "id": new_id()})
            await viewer.ask({"type": "interrupt", "id": new_id(), "queue": "drop"})
        assert (await self.story.turn(viewer, "Still there?"))["status"] == "completed"
        await self._look()
        stored, report = await self.story.api.events(self.session), Report()
        self.world.events += len(stored)
        now = await effects(self.story.api, self.session)
        report.effects(stored, self.most | now, now)
        assert report.clean, report.printed()
        for session in (self.session, self.neighbour):
            gone = await self.story.api.call("DELETE", f"/api/sessions/{session}")
            assert gone.status == 204, gone


def play(world: World, examples: int, steps: int, seed: int | None = None) -> None:
    """Without a seed always the same; a failure is told as it was found, for time has its share."""
    Protocol.world = world
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=seed is None,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = Protocol if seed is None else hypothesis.seed(seed)(type("Seeded", (Protocol,), {}))
    run_state_machine_as_test(machine, settings=chosen)


def play_alone(seed: int, report: Report, examples: int, steps: int) -> None:
    """In a thread that has no loop: on a server of its own."""
    world = World()
    try:
        play(world, examples, steps, seed)
    finally:
        report.tried["steps of the protocol's model"] += world.steps
        report.tried["kill -9 between two of its steps"] += world.kills
        report.checked["durable events"] += world.events
        world.close()
