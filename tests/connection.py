"""The laws of one session socket: hello, replay, open items, synced, status, then live."""

from typing import Literal

from tests.oracle import DELTAS, DURABLE, STATES, TIME, Frame, Log, law

SESSION = frozenset(
    "id title owner model state created_at active_at head queue pending_approvals usage"
    " last_turn pending_questions".split()
)
STATUS = frozenset("state queue held context viewers".split())
ONE_DELTA = 262_144
"""Characters of an open item that a joining viewer is sent in one delta."""
ACTIVITIES = {"waiting", "model", "retrying", "tools", "compacting"}
Phase = Literal["hello", "replay", "open items", "synced", "live"]


class Connection:
    """Judges each frame in turn and keeps what a client would draw: log, open texts, status."""

    def __init__(self, log: Log, *, after: int, deltas: bool) -> None:
        self.log = log
        self.after = after
        self.deltas = deltas
        self.phase: Phase = "hello"
        self.hello: Frame = {}
        self.status: Frame = {}
        self.synced_at = 0
        self.texts: dict[tuple[str, str], str] = {}
        self.skipped: dict[str, int] = {}
        self.closed: set[str] = set()
        self.lagged = False  # a viewer that lags may get closing events without their deltas

    def take(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind in DURABLE:
            self._event(frame)
        elif kind in DELTAS:
            self._delta(frame, DELTAS[kind])
        elif kind == "hello":
            self._hello(frame)
        elif kind == "synced":
            self._synced(frame)
        elif kind == "status":
            self._status(frame)
        else:
            self._aside(frame)

    def text(self, kind: str, item: str) -> str:
        return self.texts.get((kind, item), "")

    def _hello(self, frame: Frame) -> None:
        law(self.phase == "hello", "hello comes once and first", frame)
        law(frame["protocol"] == 1, "this is protocol 1", frame)
        law(isinstance(frame["log"], str) and frame["log"], "the log has a generation", frame)
        law(frame["mode"] in ("replay", "tail"), "mode is replay or tail", frame)
        check_session(frame["session"])
        if frame["mode"] == "replay":
            law(frame["from"] == self.after + 1, "a replay begins behind `after`", frame)
            law(self.log.last == self.after, "the client's log ends at `after`", frame)
        else:
            self.log.begin(frame["from"])
        self.hello, self.phase = frame, "replay"

    def _event(self, event: Frame) -> None:
        law(self.phase in ("replay", "live"), f"no event while {self.phase}", event)
        self.log.apply(event)
        if event["type"] == "assistant_message":
            exact = not event.get("partial")
            self._close(event, "text", event["item"], event["text"], exact)
            self._close(event, "reasoning", event["item"], event.get("reasoning", ""), exact)
            self.closed.add(event["item"])
        elif event["type"] == "tool_output":
            call = event["call"]
            exact = not event["truncated"] and event["status"] != "unknown"
            ran = self.log.calls[call].started
            if ran or self.text("log", call):
                self._close(event, "log", call, event["output"], exact and call not in self.skipped)
            self.closed.add(call)
        elif event["type"] == "job_ended":
            self.texts.pop(("log", event["job"]), None)
            self.closed.add(event["job"])
        elif event["type"] == "turn_ended":
            open_texts = (name for _, name in self.texts if name not in self.log.jobs)
            left = [name for name in open_texts if name not in self.closed]
            if not self.lagged and event.get("reason") != "server_restart":
                law(not left, f"a turn leaves no item open {left}", event)

    def _close(self, event: Frame, kind: str, item: str, final: str, exact: bool) -> None:
        if self.phase != "live" or not self.deltas or self.lagged:
            return
        shown = self.texts.pop((kind, item), "")
        if exact:
            law(shown == final, f"the deltas equal the final {kind}, they were {shown!r}", event)
        elif kind != "log":
            same = shown.startswith(final) or final.startswith(shown)
            law(same, f"a partial {kind} is a prefix of {shown!r}", event)

    def _delta(self, frame: Frame, kind: str) -> None:
        law(self.deltas, "no deltas were asked for", frame)
        law(self.phase != "hello" and self.phase != "synced", f"no delta in {self.phase}", frame)
        item = frame["call"] if kind == "log" else frame["item"]
        law(item not in self.closed, "a closed item does not grow", frame)
        known = self.log.whole or self.log.turn
        here = item in self.log.jobs or frame["turn"] == self.log.turn
        law(not known or here, "an item grows in the open turn", frame)
        offset, first = frame["offset"], (kind, item) not in self.texts
        if self.phase == "replay":
            self.phase = "open items"
        if self.phase == "open items":
            begins = first and offset == frame.get("skipped", 0)
            goes_on = offset > 0 and offset % ONE_DELTA == 0 and kind != "log"
            law(begins or goes_on, "an open item is sent as one delta from the start", frame)
        self._grow(frame, (kind, item), offset)

    def _grow(self, frame: Frame, key: tuple[str, str], offset: int) -> None:
        base = self.skipped.get(key[1], 0) if key[0] == "log" else 0
        have = self.texts.get(key, "")
        if skipped := frame.get("skipped", 0):
            law(key[0] == "log", "only logs skip", frame)
            self.skipped[key[1]] = base = offset
            law(skipped <= offset, "skipped characters lie before the offset", frame)
            have = ""
        place = offset - base
        law(0 <= place <= len(have), f"no hole: {base + len(have)} characters are here", frame)
        known = have[place : place + len(frame["text"])]
        law(frame["text"].startswith(known), "overlap repeats what was said", frame)
        self.texts[key] = have + frame["text"][len(known) :]

    def _synced(self, frame: Frame) -> None:
        law(self.phase in ("replay", "open items"), "synced comes once", frame)
        law(frame["seq"] == self.log.last, "synced means everything was sent", frame)
        if self.hello.get("reason") != "unknown_position":
            law(frame["seq"] >= self.hello["head"], "the replay reaches the head", frame)
        self.synced_at, self.phase = frame["seq"], "synced"

    def _status(self, frame: Frame) -> None:
        law(self.phase in ("synced", "live"), "no status before synced", frame)
        law(frame.keys() >= STATUS, "a status is whole", frame)
        law(frame["state"] in STATES and type(frame["held"]) is bool, "types", frame)
        law(frame.get("activity") in {None, *ACTIVITIES}, "activity is known", frame)
        law(frame["context"].keys() >= {"used", "limit"}, "context has used and limit", frame)
        for queued in frame["queue"]:
            law(queued.keys() >= {"submission", "text", "delivery"}, "a queue entry", frame)
        self.status, self.phase = frame, "live"

    def _aside(self, frame: Frame) -> None:
        kinds = ("heartbeat", "accepted", "refused", "pong", "bye")
        law(frame["type"] in kinds, "this type is not in the contract", frame)
        # A server that goes away says so whenever that is, also before it has said hello.
        law(
            self.phase == "live" or frame["type"] == "bye",
            f"{frame['type']} while {self.phase}",
            frame,
        )
        if frame["type"] in ("heartbeat", "pong"):
            law(TIME.fullmatch(frame["at"]), "at is RFC 3339 UTC with milliseconds", frame)


def check_session(session: Frame) -> None:
    law(session.keys() >= SESSION, f"fields are missing {SESSION - session.keys()}", session)
    law(session["state"] in STATES, "state is known", session)
    usage = {"input_tokens", "output_tokens", "cost_usd"}
    law(session["usage"].keys() >= usage, "usage is whole", session)
    for key in ("created_at", "active_at"):
        law(TIME.fullmatch(session[key]), f"{key} is RFC 3339 UTC", session)
