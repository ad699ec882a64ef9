"""The laws of the wire contract about one log and one connection, checked frame by frame."""

import re
from typing import Any, TypeAlias

Frame: TypeAlias = dict[str, Any]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
STATES = {"idle", "running", "awaiting_approval", "ended"}
EFFECTS = {"read", "write", "execute", "spend", "publish"}
QUESTION = {"call", "tool", "arguments", "reason"}
DURABLE: dict[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "session_created": "model title",
        "input_queued": "submission text delivery",
        "input_withdrawn": "submission by",
        "user_message": "turn submission text author",
        "turn_started": "turn submission model",
        "assistant_message": "turn item text",
        "tool_call": "turn call tool arguments effect",
        "approval_required": "turn calls",
        "approval_resolved": "turn decisions by submission",
        "tool_started": "turn call",
        "tool_output": "turn call status output truncated size seconds",
        "question_asked": "turn call question server message",
        "question_answered": "turn call question action by",
        "step": "turn call step tool arguments status output seconds",
        "plan_updated": "turn items",
        "usage": "model input_tokens output_tokens cached_tokens cost_usd purpose",
        "retrying": "attempt of wait_seconds error",
        "job_started": "turn call job title",
        "job_ended": "job status output seconds",
        "notice": "code text",
        "compacted": "before_tokens after_tokens summary through",
        "turn_undone": "turn submission",
        "session_updated": "by",
        "turn_ended": "turn status",
        "session_ended": "reason",
    }.items()
}
DELTAS = {"text_delta": "text", "reasoning_delta": "reasoning", "tool_log": "log"}
OF_A_TURN = set(
    "assistant_message tool_call tool_started tool_output step job_started plan_updated"
    " question_asked question_answered approval_required approval_resolved turn_ended".split()
)


class Broken(AssertionError):
    """The server broke the contract; `kind` and `count` as a report of faults files them."""

    def __init__(self, what: str, kind: str = "broken", count: int = 1) -> None:
        super().__init__(what)
        self.kind = kind
        self.count = count


def law(holds: object, sentence: str, frame: Frame) -> None:
    if not holds:
        raise Broken(f"{sentence}: {str(frame)[:800]}")


class Call:
    """A tool call as the log tells it."""

    def __init__(self, event: Frame, reply: int) -> None:
        self.reply = reply
        self.malformed = "malformed" in event
        self.asked = self.open = self.rejected = self.started = self.answered = False


class Log:
    """A client's copy of a session's events; `apply` refuses what cannot be in a log."""

    def __init__(self) -> None:
        self.events: list[Frame] = []
        self.raw: list[str] = []
        """The events as they came, for those who compare every byte."""
        self.last = 0
        self.begin(1)

    def begin(self, first: int) -> None:
        """Drop what is here: the next event is number `first`."""
        self.events.clear()
        self.raw.clear()
        self.last = first - 1
        self.whole = first == 1
        self.turn: str | None = None
        self.turns: set[str] = set()
        self.undone: set[str] = set()
        self.items: set[str] = set()
        self.calls: dict[str, Call] = {}
        self.steps: set[str] = set()
        self.questions: dict[str, str] = {}
        """Open ones, and whose they are."""
        self.jobs: dict[str, bool] = {}
        """Whether they have ended."""
        self.queued: dict[str, str] = {}
        self.ended = False

    def apply(self, event: Frame) -> None:
        kind = event["type"]
        self._follows(event)
        law(TIME.fullmatch(event["at"]), "at is RFC 3339 UTC with milliseconds", event)
        missing = DURABLE[kind] - event.keys()
        law(not missing, f"fields are missing: {missing}", event)
        law(not self.ended, "nothing follows session_ended", event)
        law((kind == "session_created") == (event["seq"] == 1), "event 1 is the creation", event)
        follows = self.events[-1]["type"] if self.events else ""
        if follows == "user_message" and not self.events[-1].get("steered"):
            law(kind == "turn_started", "a turn starts behind its user message", event)
        if kind in OF_A_TURN:
            self._in_turn(event)
        getattr(self, f"_{kind}", lambda _: None)(event)
        self.last = event["seq"]
        self.events.append(event)

    def _follows(self, event: Frame) -> None:
        """What is here already came twice; behind a hole, what should be in it was lost."""
        ahead = event["seq"] - self.last - 1
        if ahead == 0:
            return
        what = f"seq must follow {self.last}: {str(event)[:800]}"
        if ahead > 0:
            raise Broken(what, "lost", ahead)
        raise Broken(what, "doubled" if event in self.events else "reordered")

    def _in_turn(self, event: Frame) -> None:
        if self.turn is None and not self.whole and event["turn"] not in self.turns:
            self.turn = event["turn"]  # the log was joined in the middle of it
            self.turns.add(self.turn)
        law(event["turn"] == self.turn, f"only turn {self.turn} is open", event)

    def _input_queued(self, event: Frame) -> None:
        law(event["submission"] not in self.queued, "an input is queued once", event)
        law(event["delivery"] in ("queue", "steer"), "delivery is queue or steer", event)
        self.queued[event["submission"]] = event["text"]

    def _input_withdrawn(self, event: Frame) -> None:
        known = self.queued.pop(event["submission"], None)
        law(known is not None or not self.whole, "only queued input is withdrawn", event)

    def _user_message(self, event: Frame) -> None:
        queued = self.queued.pop(event["submission"], event["text"])
        law(queued == event["text"], "queued text is what is begun", event)
        if event.get("steered"):
            law(event["turn"] == self.turn or not self.whole, "steered into the open turn", event)
        else:
            law(self.turn is None, "a turn begins when none is open", event)
            law(event["turn"] not in self.turns, "a turn's id is new", event)

    def _turn_started(self, event: Frame) -> None:
        message = self.events[-1] if self.events else event
        same = all(message.get(key) == event[key] for key in ("turn", "submission"))
        woken = message["type"] in ("job_ended", "turn_undone")
        law(same or woken, "turn_started belongs to the message or the job before it", event)
        law(self.turn is None, "a turn starts when none is open", event)
        law(event["turn"] not in self.turns, "a turn is started once", event)
        self.turn = event["turn"]
        self.turns.add(event["turn"])

    def _assistant_message(self, event: Frame) -> None:
        law(event["item"] not in self.items, "an item is closed once", event)
        self.items.add(event["item"])

    def _tool_call(self, event: Frame) -> None:
        law(event["call"] not in self.calls, "a call's id is unique in the session", event)
        law(isinstance(event["arguments"], dict), "arguments is always an object", event)
        law(event["effect"] in EFFECTS, "effect is known", event)
        reply = next(
            (past for past in reversed(self.events) if past["type"] not in ("tool_call", "usage")),
            event,
        )
        closes = reply["type"] == "assistant_message" and not reply.get("partial")
        law(closes or not self.whole, "a reply's calls are one commit with its message", event)
        self.calls[event["call"]] = Call(event, reply["seq"])

    def _call(self, name: str, event: Frame) -> Call:
        if name not in self.calls:
            law(not self.whole, "the call is known", event)
            self.calls[name] = Call(event, 0)
        return self.calls[name]

    def _approval_required(self, event: Frame) -> None:
        law(event["calls"], "a question names calls", event)
        for asked in event["calls"]:
            law(asked.keys() >= QUESTION, "a question is whole", event)
            call = self._call(asked["call"], event)
            law(not call.asked and not call.started and not call.answered, "asked once", event)
            law(not call.malformed, "malformed calls are never asked", event)
            call.asked = call.open = True

    def _approval_resolved(self, event: Frame) -> None:
        for decision in event["decisions"]:
            call = self._call(decision["call"], event)
            law(call.open or not self.whole, "only an open call is ruled on", event)
            call.open = False
            call.rejected = decision["decision"] == "reject"

    def _tool_started(self, event: Frame) -> None:
        call = self._call(event["call"], event)
        waits = [c for c in self.calls.values() if c.reply == call.reply and c.open]
        law(not waits, "no call of a reply starts while another of it is open", event)
        law(not call.started and not call.answered, "a call starts once", event)
        law(not call.malformed and not call.rejected, "refused calls are never started", event)
        call.started = True

    def _tool_output(self, event: Frame) -> None:
        call = self._call(event["call"], event)
        statuses = ("ok", "error", "rejected", "cancelled", "unknown")
        law(event["status"] in statuses, "status is known", event)
        law(not call.answered, "a call has exactly one output", event)
        law(event["truncated"] or event["size"] == len(event["output"]), "size counts", event)
        if self.whole:
            law(call.started or event["status"] not in ("ok", "unknown"), "ok calls started", event)
        call.answered, call.open = True, False

    def _question_asked(self, event: Frame) -> None:
        call = self._call(event["call"], event)
        runs = call.started and not call.answered
        law(runs or not self.whole, "a running call asks", event)
        law(event["question"] not in self.questions, "a question's id is new", event)
        law(("url" in event) == ("host" in event), "a page is named with its host", event)
        self.questions[event["question"]] = event["call"]

    def _question_answered(self, event: Frame) -> None:
        asked = self.questions.pop(event["question"], None)
        law(asked == event["call"] or not self.whole, "an open question is answered once", event)
        law(event["action"] in ("accept", "decline", "cancel"), "action is known", event)
        accepts = event["action"] == "accept"
        law(accepts or "content" not in event, "only what is accepted has content", event)
        law("submission" in event or event["by"] == "mooring", "a person's answer is known", event)
        law(not self._call(event["call"], event).answered, "its call goes on", event)

    def _step(self, event: Frame) -> None:
        call = self._call(event["call"], event)
        law(call.started or not self.whole, "a step is of a call that runs", event)
        law(not call.answered, "no step follows its call's output", event)
        law(event["step"] not in self.steps, "a step ends once", event)
        self.steps.add(event["step"])

    def _job_started(self, event: Frame) -> None:
        law(self._call(event["call"], event).answered, "a job is left by a call that ended", event)
        law(event["job"] not in self.jobs, "a job begins once", event)
        self.jobs[event["job"]] = False

    def _job_ended(self, event: Frame) -> None:
        law(event["status"] in ("ok", "error", "cancelled", "unknown"), "status is known", event)
        law(event["job"] in self.jobs or not self.whole, "a known job ends", event)
        law(not self.jobs.get(event["job"]), "a job ends once", event)
        self.jobs[event["job"]] = True

    def _notice(self, event: Frame) -> None:
        if job := event.get("job"):
            law(self.jobs.get(job) or not self.whole, "a job is told of when it has ended", event)

    def _turn_undone(self, event: Frame) -> None:
        law(self.turn is None, "a running turn is not undone", event)
        law(event["turn"] not in self.undone, "a turn is undone once", event)
        law(event["turn"] in self.turns or not self.whole, "a known turn is undone", event)
        self.undone.add(event["turn"])

    def _turn_ended(self, event: Frame) -> None:
        law(event["status"] in ("completed", "interrupted", "failed", "limit"), "status", event)
        unanswered = [name for name, call in self.calls.items() if not call.answered]
        law(not unanswered, f"a turn leaves no call without output {unanswered}", event)
        law((event["status"] == "failed") <= ("error" in event), "a failure has an error", event)
        law((event["status"] == "limit") <= ("reason" in event), "a limit is named", event)
        self.turn = None

    def _session_ended(self, event: Frame) -> None:
        law(self.turn is None, "a session ends after its turn", event)
        self.ended = True
