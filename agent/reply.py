"""One model reply as it comes in: shown while it grows, and made into events when it is whole."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from agent.approval import Ask, Rules
from agent.conversation import Message
from agent.edges import NewId
from agent.history import CallState, History, estimate_tokens
from agent.journal import GrowthKind, OpenText
from agent.models.port import CallFragment, Finished, Piece, Reasoning, Text, Used
from agent.nesting import too_deep
from agent.protocol import (
    AnyEvent,
    ApprovalRequired,
    AssistantMessage,
    CallId,
    JsonObject,
    Notice,
    Question,
    ToolCall,
    TurnId,
    Usage,
)
from agent.tools.port import Stakes
from agent.transcript import size_of
from agent.turn import TRUNCATED

DROPPED = (
    "Your reply ran into its output limit, so its tool calls were dropped. "
    "Make smaller calls, one at a time."
)


StakesOf = Callable[[str, JsonObject], Stakes]
"""(tool, arguments) -> what a call of it may do and cost."""


class CallText(Struct):
    """A tool call being written: `arguments` is the JSON text so far."""

    name: str = ""
    arguments: list[str] = msgspec.field(default_factory=list)


class Show(Protocol):
    """Opens a text that viewers see grow."""

    def __call__(self, kind: GrowthKind, item: str) -> OpenText: ...


class Reply:
    """Pieces go in, text is shown; at the end, or when it was cut short, it says what to record."""

    def __init__(self, item: str, show: Show) -> None:
        self.item = item
        self._show = show
        self._open_text: OpenText | None = None
        self._open_reasoning: OpenText | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, CallText] = {}
        self._used: Used | None = None
        self.truncated = False

    @property
    def was_shown(self) -> bool:
        return bool(self._text or self._reasoning)

    def take(self, piece: Piece) -> None:
        match piece:
            case Text(text=text):
                if self._open_text is None:
                    self._open_text = self._show("text", self.item)
                self._text.append(text)
                self._open_text.grow(text)
            case Reasoning(text=text):
                if self._open_reasoning is None:
                    self._open_reasoning = self._show("reasoning", self.item)
                self._reasoning.append(text)
                self._open_reasoning.grow(text)
            case CallFragment(index=index, name=name, arguments=arguments):
                call = self._calls.setdefault(index, CallText())
                call.name = call.name or name
                call.arguments.append(arguments)
            case Used():
                self._used = piece
            case Finished(truncated=truncated):
                self.truncated = truncated

    @property
    def text(self) -> str:
        return "".join(self._text)

    def message(self, turn: TurnId, *, partial: bool) -> AssistantMessage:
        reasoning = "".join(self._reasoning)
        return AssistantMessage(turn, self.item, self.text, reasoning, partial)

    def used(self, request: Sequence[Message]) -> Used:
        """What the provider counted, or an estimate (of unknown cost) where it said nothing."""
        if self._used is not None:
            return self._used
        written = [*self._text, *self._reasoning]
        written += [part for call in self._calls.values() for part in call.arguments]
        return Used(size_of(request), estimate_tokens("".join(written)))

    @property
    def calls(self) -> list[CallText]:
        return [self._calls[index] for index in sorted(self._calls)]


def reply_events(
    reply: Reply,
    history: History,
    rules: Rules,
    *,
    usage: Usage,
    turn: TurnId,
    new_id: NewId,
    stakes_of: StakesOf,
) -> tuple[AnyEvent, ...]:
    """The whole reply as one commit: message, usage, calls and, where one is needed, the question.

    Calls of a reply that ran into its output limit are dropped, with a note for the model.
    """
    message = reply.message(turn, partial=reply.truncated)
    if reply.truncated:
        note = (Notice(TRUNCATED, DROPPED, turn),) if reply.calls else ()
        return (message, usage, *note)
    calls = tuple(call_made(turn, new_id("call"), call, stakes_of) for call in reply.calls)
    verdicts = ((c, rules.verdict(CallState(c), history)) for c in calls)
    asked = tuple(question(c, v, stakes_of) for c, v in verdicts if isinstance(v, Ask))
    required = (ApprovalRequired(turn, asked),) if asked else ()
    return (message, usage, *calls, *required)


def question(call: ToolCall, verdict: Ask, stakes_of: StakesOf) -> Question:
    cost = stakes_of(call.tool, call.arguments).cost_usd
    return Question(call.call, call.tool, call.arguments, verdict.reason, cost)


def call_made(turn: TurnId, id: CallId, call: CallText, stakes_of: StakesOf) -> ToolCall:
    text = "".join(call.arguments)
    arguments = _arguments(text)
    known = {} if arguments is None else arguments
    return ToolCall(
        turn,
        id,
        call.name,
        known,
        stakes_of(call.name, known).effect,
        text if arguments is None else None,
    )


def _arguments(text: str) -> JsonObject | None:
    """The object that the model wrote; None where it wrote none. No text at all is no argument."""
    if not text.strip():
        return {}
    try:
        arguments = msgspec.json.decode(text, type=JsonObject)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return None if too_deep(arguments) else arguments
