"""What a run of faults found: how many were tried, what was checked, and what was wrong."""

import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

from tests.oracle import Broken, Frame

WRONG = ("lost", "doubled", "reordered", "re-run")
EVENTS = ("durable events", "events applied by clients")
TOLD = 20
"""Findings that are told."""
LONGEST = 3_000
"""Characters of one."""
SAID = 1_500
"""Characters of what an error says."""
PLACES = 4
"""Lines of its traceback, the innermost ones."""


class Report:
    """Compares what clients have with what the server keeps; nothing is raised, all is counted."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        """How often each part has run."""
        self.left_out: dict[str, str] = {}
        """What could not run here, and why."""
        self.tried: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.findings: list[str] = []
        self.notes: list[str] = []

    @property
    def clean(self) -> bool:
        return not self.wrong.total()

    @property
    def kills(self) -> int:
        return self._tried("kill -9")

    @property
    def cuts(self) -> int:
        return self._tried("cuts")

    def _tried(self, word: str) -> int:
        return sum(n for what, n in self.tried.items() if what.startswith(word + " "))

    def find(self, kind: str, what: str, count: int = 1) -> None:
        self.wrong[kind] += count
        if len(self.findings) < TOLD:
            self.findings.append(f"{kind}: {what}"[:LONGEST])

    def file(self, where: str, error: BaseException) -> None:
        """What the oracle found by its kind, anything else as broken, with its place."""
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                self.file(where, inner)
            return
        said = f"{type(error).__name__} {error}"
        said = said[max(said.find("Traceback (most recent"), 0) :][:SAID]  # of a server
        places = "".join(traceback.format_tb(error.__traceback__)[-PLACES:])
        kind, count = (error.kind, error.count) if isinstance(error, Broken) else ("broken", 1)
        self.find(kind, f"{where}: {said}\n{places}", count)

    @contextmanager
    def filing(self, where: str) -> Iterator[None]:
        """Whatever goes wrong inside is filed and ends only what is inside."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a run of faults ends with its report, come what may
            self.file(where, error)

    def note(self, line: str) -> None:
        """Something measured that is neither right nor wrong."""
        self.notes.append(line)

    def log(self, stored: Sequence[Frame]) -> bool:
        """A durable log is dense from 1; whether it is."""
        numbers = [event["seq"] for event in stored]
        self.checked["durable events"] += len(numbers)
        return self._dense([0, *numbers], "in the log")

    def _dense(self, numbers: Sequence[int], where: str) -> bool:
        """Each behind the one before; each kind of fault by how many events it is about."""
        once = dict.fromkeys(numbers)
        doubled = len(numbers) - len(once)
        lost = max(once) - min(once) + 1 - len(once)
        turned = sum(after < before for before, after in pairwise(once))
        for kind, count in (("doubled", doubled), ("reordered", turned), ("lost", lost)):
            if count:
                self.find(kind, f"{where}: {_ranges(numbers)}", count)
        return not (doubled or turned or lost)

    def seen(self, events: Sequence[Frame], stored: Sequence[Frame], *, whole: bool) -> None:
        """What a client applied is a part of the log without a hole; `whole`: up to its end."""
        self.checked["events applied by clients"] += len(events)
        if not events:
            if whole and stored:
                self.find("lost", "a client has nothing", len(stored))
            return
        numbers = [event["seq"] for event in events]
        self._dense(numbers, "a client has")
        for event in events:
            if event not in stored[event["seq"] - 1 : event["seq"]]:
                self.find("reordered" if event in stored else "lost", str(event))
        missing = len(stored) - max(numbers)
        if whole and missing > 0:
            self.find("lost", f"a client has {max(numbers)} of {len(stored)} events", missing)

    def submissions(
        self, stored: Sequence[Frame], sent: Iterable[str], accepted: Mapping[str, int]
    ) -> None:
        """Inputs that were accepted took effect under that number, all others at most once."""
        begun, queued = Counter[str](), Counter[str]()
        first: dict[str, int] = {}
        for event in stored:
            if event["type"] in ("user_message", "input_queued"):
                (begun if event["type"] == "user_message" else queued)[event["submission"]] += 1
                first.setdefault(event["submission"], event["seq"])
        for name in sent:
            self.checked["submissions"] += 1
            if max(begun[name], queued[name]) > 1:
                twice = max(begun[name], queued[name]) - 1
                self.find("doubled", f"submission {name} took effect twice", twice)
            if name in accepted and not _caused(stored, accepted[name], first.get(name)):
                self.find("lost", f"{name} was accepted as {accepted[name]}, is {first.get(name)}")

    def effects(
        self, stored: Sequence[Frame], most: Mapping[str, int], now: Mapping[str, int] | None
    ) -> None:
        """`most` and `now`: how often each call left its mark, at any instant and in the end."""
        calls = {event["call"]: event for event in stored if event["type"] == "tool_call"}
        starts = Counter(event["call"] for event in stored if event["type"] == "tool_started")
        undone = {event["turn"] for event in stored if event["type"] == "turn_undone"}
        done = {
            event["call"]
            for event in stored
            if event["type"] == "tool_output" and event["status"] == "ok"
        }
        for name, call in calls.items():
            mark = mark_of(call)
            if mark is None:
                continue
            self.checked["side effects"] += 1
            if (again := most.get(mark, 0) - starts[name]) > 0:
                self.find("re-run", f"{call} ran {most[mark]} times, started {starts[name]}", again)
            kept = name in done and call["turn"] not in undone
            if now is not None and kept and not now.get(mark):
                self.find("lost", f"the effect of {call}")

    def printed(self) -> str:
        """The figures that were promised first, then what they are made of."""
        events = sum(self.checked[what] for what in EVENTS)
        rows = [
            f"faults tried: {self.tried.total():,}, of these {self.kills:,} kills"
            f" and {self.cuts:,} cuts",
            f"events checked: {events:,}",
            *(f"{kind}: {self.wrong[kind]:,}" for kind in WRONG),
            *(f"{kind}: {self.wrong[kind]:,}" for kind in sorted(self.wrong.keys() - set(WRONG))),
        ]
        for title, counts in (
            ("parts, and how often they ran", self.runs),
            ("faults tried", self.tried),
            ("checked", self.checked),
        ):
            rows += ["", title, *(f"  {n:>9,}  {what}" for what, n in sorted(counts.items()))]
        for title, lines in (
            ("left out", [f"{what}: {why}" for what, why in self.left_out.items()]),
            ("measured", self.notes),
        ):
            rows += ["", title, *(f"  {line}" for line in lines)] if lines else []
        return "\n".join([*rows, "", *self.findings])


def _ranges(numbers: Sequence[int]) -> str:
    """`1-4 6 6-9`: where each run of numbers that follow each other begins and ends."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return " ".join("-".join(map(str, run)) for run in runs)


def _caused(stored: Sequence[Frame], accepted: int, first: int | None) -> bool:
    """It is there; before it stands at most the end of the turn that it superseded."""
    if first is None or accepted > first:
        return False
    return all(
        event["type"] in ("tool_output", "turn_ended") for event in stored[accepted - 1 : first - 1]
    )


def mark_of(call: Frame) -> str | None:
    """The word that a call of `talk.py` leaves in its file."""
    words = str(call["arguments"].get("command", "")).split()
    return next((word for word in words if word.startswith("mark-")), None)
