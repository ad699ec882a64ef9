"""What the model says under load: long replies, and calls that leave a mark for each run."""

import random
from collections import Counter
from itertools import count
from pathlib import Path

from tests.model_server import CallScript, Gate, Reply, Seen
from tests.stories.scene import bash, calls

EFFECTS = "effects.txt"
BUSY = Reply(status=503, body={"error": {"message": "busy"}})
AFTERWARDS = "Still there?"
"""Said to that, the model answers in a word: it shows that a session goes on."""


class Talk:
    """Use it as a model's `answer`; no two calls ever leave the same mark."""

    def __init__(self, chance: random.Random, *, words: int, gentle: bool = False) -> None:
        self._chance = chance
        self._marks = count(1)
        self._words = words
        self._gentle = gentle

    def __call__(self, seen: Seen) -> Reply | None:
        if any(AFTERWARDS in str(message) for message in seen.messages[-2:]):
            return Reply(text="Yes.")
        if not seen.body.get("tools"):
            return Reply(text="A summary", chunk_size=3)
        kind = self._chance.randrange(6 if self._gentle else 10)
        if kind < 2:
            return Reply(text=self._story(), chunk_size=7, reasoning="Let me think.")
        if kind < 5:
            marks = [self._mark() for _ in range(self._chance.randrange(1, 4))]
            return calls(*marks, text=self._story())
        if kind == 5:
            return calls(self._mark("; echo some output, and more"), text="Let me see.")
        if kind == 6:
            return calls(self._mark("; : please-ask"), self._mark())
        if kind == 7:
            return calls(self._mark("; sleep 3"))
        if kind == 8:
            return BUSY
        return Reply(text=self._story(), hold={2: Gate()})

    def _story(self) -> str:
        length = self._chance.randrange(self._words) + 1
        return "".join(f"wörd{number} " for number in range(length))

    def _mark(self, then: str = "") -> CallScript:
        return bash(f"echo mark-{next(self._marks)} >> {EFFECTS}{then}")


def marks(text: str) -> Counter[str]:
    return Counter(text.split())


def marks_on_disk(workspace: Path) -> Counter[str]:
    """What the calls of a session left, in whichever of its trees, without asking the server."""
    found: Counter[str] = Counter()
    for path in (workspace / "trees").glob(f"*/{EFFECTS}"):
        found |= marks(path.read_text())
    return found
