"""What a run of faults found: how many were tried, what was checked, and what was wrong."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tests.oracle import Frame

WRONG = ("lost", "doubled", "reordered", "re-run")
TOLD = 20
"""Findings that are told."""
LONGEST = 2_000
"""Characters of one."""


class Report:
    """Compares what clients have with what the server keeps; nothing is raised, all is counted."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.findings: list[str] = []
        self.notes: list[str] = []

    @property
    def clean(self) -> bool:
        return not self.wrong.total()

    def find(self, kind: str, what: str, count: int = 1) -> None:
        self.wrong[kind] += count
        if len(self.findings) < TOLD:
            self.findings.append(f"{kind}: {what}"[:LONGEST])

    def note(self, line: str) -> None:
        """Something measured that is neither right nor wrong."""
        self.notes.append(line)

    def log(self, stored: Sequence[Frame]) -> None:
        """A durable log is dense from 1."""
        numbers = [event["seq"] for event in stored]
        self.checked["durable events"] += len(numbers)
        if len(set(numbers)) < len(numbers):
            self.find("doubled", f"in the log: {numbers}")
        elif sorted(numbers) != numbers:
            self.find("reordered", f"in the log: {numbers}")
        elif numbers and numbers[-1] != len(numbers):
            self.find("lost", f"holes in the log: {numbers}")

    def seen(self, events: Sequence[Frame], stored: Sequence[Frame], *, whole: bool) -> None:
        """What a client applied is a part of the log without a hole; `whole`: up to its end."""
        self.checked["events applied by clients"] += len(events)
        if not events:
            if whole and stored:
                self.find("lost", "a client has nothing")
            return
        numbers = [event["seq"] for event in events]
        if len(set(numbers)) < len(numbers):
            self.find("doubled", f"a client has {numbers}")
        elif numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            self.find("reordered", f"a client has {numbers}")
        for event in events:
            if event not in stored[event["seq"] - 1 : event["seq"]]:
                self.find("reordered" if event in stored else "lost", str(event))
        if whole and numbers[-1] != len(stored):
            self.find("lost", f"a client has {numbers[-1]} of {len(stored)} events")

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
                self.find("doubled", f"submission {name} took effect twice")
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
            if most.get(mark, 0) > starts[name]:
                self.find("re-run", f"{call} ran {most[mark]} times, started {starts[name]}")
            kept = name in done and call["turn"] not in undone
            if now is not None and kept and not now.get(mark):
                self.find("lost", f"the effect of {call}")

    def printed(self) -> str:
        rows = [f"  {count:>9,}  {what}" for what, count in sorted(self.tried.items())]
        rows += ["checked", *(f"  {n:>9,}  {what}" for what, n in sorted(self.checked.items()))]
        wrong = [*WRONG, *sorted(self.wrong.keys() - set(WRONG))]
        rows += ["wrong", *(f"  {self.wrong[kind]:>9,}  {kind}" for kind in wrong)]
        measured = ["measured", *(f"  {line}" for line in self.notes)] if self.notes else []
        return "\n".join(["faults tried", *rows, *measured, *self.findings])


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
