"""Random walks: several clients do anything at any time, and the power fails in between."""

import os
import random
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.client import Viewer, new_id
from tests.model_server import CallScript, Gate, Reply, Seen
from tests.oracle import Frame
from tests.stories.conftest import NewStory
from tests.stories.scene import Story, bash, calls

STEPS = 70
WALKS = int(os.environ.get("MOORING_WALKS", "6"))
BUSY = Reply(status=503, body={"error": {"message": "busy"}})


class Walk:
    """One session, its viewers, and everything that was ever sent to it.

    With a neighbour, only one of the two can be in memory: each puts the other to sleep.
    """

    def __init__(self, story: Story, session: str, chance: random.Random, neighbour: str) -> None:
        self.story = story
        self.session = session
        self.chance = chance
        self.viewers: list[Viewer] = []
        self.sent: dict[str, Frame] = {}
        self.accepted: dict[str, int] = {}
        self.neighbour = neighbour

    def reply(self, seen: Seen) -> Reply | None:
        """What the model says next: words, calls, questions, silence, failures."""
        number = self.chance.randrange(1000)
        kind = self.chance.randrange(10)
        if not seen.body.get("tools"):
            return Reply(text=f"A summary {number}") if kind < 8 else BUSY
        if kind < 3:
            return Reply(text=f"Well, number {number}, and some more words.", chunk_size=5)
        if kind < 5:
            quick = (bash(f"echo {number}"), CallScript("write", {"path": "a", "content": "x"}))
            return calls(*quick, text="Let me see.")
        if kind == 5:
            return calls(bash(f"echo please-ask {number}"), bash("echo free"))
        if kind == 6:
            return calls(bash(f"echo {number}; sleep 3"))
        if kind == 7:
            return Reply(text=f"Once upon a time {number}", hold={2: Gate()})
        if kind == 8:
            return BUSY
        return Reply(text=f"Cut {number}", cut_after=self.chance.randrange(3))

    async def step(self) -> None:
        """Do one thing; a connection that is lost on the way is made again."""
        if not self.viewers or self.chance.random() < 0.15:
            await self.join()
        viewer = self.chance.choice(self.viewers)
        does = self.chance.random()
        try:
            if does < 0.06:
                await self.crash()
            elif does < 0.14:
                viewer.cut()
                self.viewers.remove(viewer)
            elif does < 0.22 and self.sent:
                await viewer.tell(self.chance.choice(list(self.sent.values())))
            elif does < 0.30:
                await self.burst()
            elif does < 0.34 and self.neighbour:
                frame = {"type": "user_input", "id": new_id(), "text": "Make room"}
                await self.story.api.submit(self.neighbour, frame)
            else:
                frame = self.frame(viewer)
                self.sent[frame["id"]] = frame
                future = await viewer.send(frame)
                if self.chance.random() < 0.7:
                    await viewer.answer(future)
        except ConnectionClosed:
            self.viewers.remove(viewer)
        self.listen()

    async def burst(self) -> None:
        """Several frames at once from several viewers, each of them twice."""
        viewers = list(self.viewers)
        for _ in range(4):
            frame = self.frame(viewers[0])
            self.sent[frame["id"]] = frame
            for viewer in self.chance.choices(viewers, k=2):
                with suppress(ConnectionClosed):
                    await viewer.tell(frame)

    def frame(self, viewer: Viewer) -> Frame:
        kinds = ["user_input"] * 8 + ["interrupt"] * 3 + ["approval"] * 4
        kinds += ["resume", "undo", "retry", "compact", "withdraw", "set_model", "ping"]
        kind = self.chance.choice(kinds)
        fields: Frame = {}
        if kind == "user_input":
            delivery = self.chance.choice(["queue", "queue", "steer"])
            fields = {"text": f"Do {self.chance.randrange(1000)}", "delivery": delivery}
        elif kind == "interrupt":
            fields = {"queue": self.chance.choice(["hold", "drop", "continue"])}
        elif kind == "approval":
            asked = viewer.of("approval_required")
            call = asked[-1]["calls"][0]["call"] if asked else "k-nobody"
            ruling = self.chance.choice(["approve", "reject"])
            fields = {"decisions": [{"call": call, "decision": ruling}]}
        elif kind == "withdraw":
            inputs = [name for name, sent in self.sent.items() if sent["type"] == "user_input"]
            fields = {"submission": self.chance.choice(inputs or ["never"])}
        elif kind == "set_model":
            fields = {"model": "openai/test-model"}
        return {"type": kind, "id": new_id(), **fields}

    async def join(self) -> None:
        """A viewer from the start, or one that comes back with what another one has."""
        log = self.viewers.pop().cut() if self.viewers and self.chance.random() < 0.5 else None
        viewer = await self.story.join(self.session, log=log)
        self.viewers.append(viewer)

    async def crash(self) -> None:
        """The server goes, at once or in good order, and comes back."""
        if self.chance.random() < 0.5:
            await self.story.server.kill9()
        else:
            assert await self.story.server.terminate() == 0
        logs = [await viewer.leave() for viewer in self.viewers]  # all that came is read
        self.listen()
        await self.story.restart()
        self.viewers = [await self.story.join(self.session, log=log) for log in logs[:3]]

    def listen(self) -> None:
        """Hear every answer, and that an id never gets two different ones."""
        for viewer in self.viewers:
            viewer.check()
            for frame in viewer.frames:
                if frame["type"] == "accepted":
                    known = self.accepted.setdefault(frame["id"], frame["seq"])
                    assert known == frame["seq"], frame

    async def settle(self) -> Viewer:
        """Hear every answer, and stop whatever runs; a viewer that sees the session idle."""
        for viewer in self.viewers:
            for future in [future for asked in viewer.asked.values() for future in asked]:
                await viewer.answer(future)
        for session in filter(None, (self.neighbour, self.session)):
            viewer = await self.story.join(session)
            while (row := await self.story.api.look(session))["state"] != "idle" or row["queue"]:
                if row["state"] == "idle":
                    await viewer.ask({"type": "resume", "id": new_id()})
                await viewer.ask({"type": "interrupt", "id": new_id(), "queue": "drop"})
        return viewer


@pytest.mark.parametrize("seed", range(WALKS))
async def test_whatever_happens_the_log_keeps_its_laws(alone: NewStory, seed: int) -> None:
    crowded = seed % 2 == 1
    story = await alone({"limits": {"live_sessions": 1}} if crowded else None)
    neighbour = await story.api.session() if crowded else ""
    walk = Walk(story, await story.api.session(), random.Random(seed), neighbour)
    story.model.answer = walk.reply
    for _ in range(STEPS):
        await walk.step()
    story.model.answer = lambda seen: None
    last = await walk.settle()
    # Whatever was accepted is in the log for good, under the same number.
    for name, seq in walk.accepted.items():
        again = await last.ask(walk.sent[name]) if name in walk.sent else None
        if again:
            assert again == {"type": "accepted", "id": name, "seq": seq, "duplicate": True}
    # Whatever was sent took effect at most once.
    begun = [event["submission"] for event in last.of("user_message")]
    queued = [event["submission"] for event in last.of("input_queued")]
    assert len(begun) == len(set(begun))
    assert len(queued) == len(set(queued))
    for name in {*begun, *queued}:
        assert name in walk.sent
    # And the session goes on.
    assert (await story.turn(last, "Still there?"))["status"] == "completed"
