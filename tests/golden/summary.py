"""What a page should show of a log, told anew in Python from the events alone."""

from collections.abc import Iterable
from typing import Any

from tests.oracle import DURABLE, Frame


def summary(frames: Iterable[Frame]) -> Frame:
    shown = Shown()
    for frame in frames:
        if frame["type"] in DURABLE:
            shown.take(frame)
    return shown.summary()


class Shown:
    """Rows in the order of the events that closed them; nothing of what only grows."""

    def __init__(self) -> None:
        self.rows: dict[str, Frame] = {}
        self.plans: dict[str, Any] = {}
        self.queued: dict[str, str] = {}
        self.used: dict[str, Any] = {"input": 0, "output": 0, "cached": 0, "cost": 0}
        self.head = 0
        self.ended: str | None = None

    def summary(self) -> Frame:
        plan = list(self.plans.values())
        return {
            "head": self.head,
            "entries": [{"key": key, **row} for key, row in self.rows.items()],
            "plan": plan[-1] if plan else [],
            "queued": list(self.queued.values()),
            "used": self.used,
            "ended": self.ended,
        }

    def take(self, event: Frame) -> None:
        self.head = event["seq"]
        known = getattr(self, f"_{event['type']}", None)
        if known is not None:
            known(event)

    def _user_message(self, event: Frame) -> None:
        name = event["submission"]
        self.queued.pop(name, None)
        for row in self.rows.values():
            if row.get("undone") == name:
                row["retried"] = True
        row = {"kind": "user", "turn": event["turn"], "text": event["text"]}
        self.rows[f"u:{name}"] = row | ({"steered": True} if event.get("steered") else {})

    def _assistant_message(self, event: Frame) -> None:
        if not event["text"] and not event.get("reasoning"):
            return
        row = {"kind": "assistant", "turn": event["turn"], "text": event["text"]}
        row |= {"reasoning": event.get("reasoning", "")}
        self.rows[f"m:{event['item']}"] = row | ({"partial": True} if "partial" in event else {})

    def _tool_call(self, event: Frame) -> None:
        row = {"kind": "tool", "turn": event["turn"], "tool": event["tool"], "state": "queued"}
        self.rows[f"c:{event['call']}"] = row | {"arguments": event["arguments"], "output": None}

    def _approval_required(self, event: Frame) -> None:
        for question in event["calls"]:
            self._call(question["call"], state="asks")

    def _approval_resolved(self, event: Frame) -> None:
        for decision in event["decisions"]:
            approved = decision["decision"] == "approve"
            self._call(decision["call"], state="queued" if approved else "rejected")
            self._call(decision["call"], ruling=decision["decision"])
            if "arguments" in decision:
                self._call(decision["call"], arguments=decision["arguments"])

    def _tool_started(self, event: Frame) -> None:
        self._call(event["call"], state="running")

    def _tool_output(self, event: Frame) -> None:
        self._call(event["call"], state=event["status"], output=event["output"])

    def _question_asked(self, event: Frame) -> None:
        asked = self.rows[f"c:{event['call']}"].setdefault("questions", {})
        asked[event["question"]] = None

    def _question_answered(self, event: Frame) -> None:
        self.rows[f"c:{event['call']}"]["questions"][event["question"]] = event["action"]

    def _call(self, call: str, **change: Any) -> None:
        self.rows[f"c:{call}"] |= change

    def _input_queued(self, event: Frame) -> None:
        self.queued[event["submission"]] = event["text"]

    def _input_withdrawn(self, event: Frame) -> None:
        self.queued.pop(event["submission"], None)

    def _plan_updated(self, event: Frame) -> None:
        self.plans.pop(event["turn"], None)
        self.plans[event["turn"]] = [item["content"] for item in event["items"]]

    def _turn_undone(self, event: Frame) -> None:
        self.plans.pop(event["turn"], None)
        for row in self.rows.values():
            if row["turn"] == event["turn"]:
                row["undone"] = event["submission"]

    def _usage(self, event: Frame) -> None:
        self.used["input"] += event["input_tokens"]
        self.used["output"] += event["output_tokens"]
        self.used["cached"] += event["cached_tokens"]
        both = (self.used["cost"], event["cost_usd"])
        self.used["cost"] = None if None in both else sum(both)

    def _note(self, event: Frame) -> None:
        row = {"kind": "note", "turn": event.get("turn"), "about": event["type"]}
        self.rows[f"e:{event['seq']}"] = row

    _notice = _compacted = _note

    def _session_updated(self, event: Frame) -> None:
        if "model" in event or "auto_approval" in event:
            self._note(event)

    def _retrying(self, event: Frame) -> None:
        name = event.get("turn", event["seq"])
        row = {"kind": "note", "turn": event.get("turn"), "about": "retrying"}
        self.rows[f"r:{name}"] = row

    def _turn_ended(self, event: Frame) -> None:
        if event["status"] != "completed":
            self._note(event)

    def _session_ended(self, event: Frame) -> None:
        self._note(event)
        self.ended = event["reason"]
