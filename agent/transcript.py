"""The history as messages for a model: without what was undone, what was compacted summed up."""

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from agent.conversation import CallMade, Message
from agent.history import CallState, Entry, History, Summary, Turn, estimate_tokens
from agent.protocol import (
    AssistantMessage,
    JsonObject,
    Notice,
    ToolCall,
    ToolOutput,
    UserMessage,
)

LONGEST_MESSAGE = 50_000
"""Tokens of one message; a longer one is cut, with a pointer to where the whole is."""


class Transcript:
    """The messages of a history that is asked for them again and again: each is made once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._forget(None)

    def messages(self, system: str) -> tuple[Message, ...]:
        """The system prompt, then the conversation; what people said in a row is one message."""
        return self._messages(system, self._history.summary)

    def _forget(self, summary: Summary | None) -> None:
        self._summary = summary
        self._ended: list[Turn] = []
        self._behind: list[Message] = []
        """Of the turns that have ended."""
        self._last: _Told | None = None
        """The turn after those."""

    def _messages(self, system: str, summary: Summary | None) -> tuple[Message, ...]:
        turns = list(self._history.counting)
        if summary is not self._summary or turns[: len(self._ended)] != self._ended:
            self._forget(summary)
        self._take(turns[len(self._ended) :])
        found = [Message("system", system)]
        if summary is not None:
            _add(found, _summed_up(turns, summary))
        _join(found, self._behind)
        if self._last is not None:
            _join(found, self._last.settled)
            _add(found, self._last.open())
        return tuple(found)

    def _take(self, turns: Sequence[Turn]) -> None:
        told, self._last = self._last, None
        for turn in turns:
            if told is None or told.turn is not turn:
                told = _Told(turn, self._summary)
            told.take()
            if turn.end is None:
                self._last = told
            else:
                _join(self._behind, told.settled)
                self._ended.append(turn)


def messages(history: History, system: str, summary: Summary | None = None) -> tuple[Message, ...]:
    """The same, made anew.

    `summary` goes before the history's own: what would be shown if it were recorded.
    """
    return Transcript(history)._messages(system, summary or history.summary)


def size_of(conversation: Iterable[Message]) -> int:
    """Estimated tokens."""
    return sum(
        estimate_tokens(m.text) + sum(estimate_tokens(str(c.arguments)) for c in m.calls)
        for m in conversation
    )


def clip(text: str, tokens: int) -> str:
    """At most `tokens` (or 40) of `text`: a quarter is head, the rest tail."""
    if len(text) + 4 <= tokens or estimate_tokens(text) <= tokens:
        return text  # the first is true of nearly all, and costs nothing
    whole = text.encode(errors="replace")  # cut as it is measured: in bytes
    room = max(tokens - 40, 0) * 4
    head = whole[: room // 4].decode(errors="ignore")
    tail = whole[len(whole) - (room - room // 4) :].decode(errors="ignore")
    left_out = len(text) - len(head) - len(tail)
    note = f"[... {left_out} characters left out here; the whole is in the session's log ...]"
    return f"{head}\n{note}\n{tail}"


class _Told:
    """One turn, without what a summary stands for."""

    def __init__(self, turn: Turn, summary: Summary | None) -> None:
        self.turn = turn
        self.settled: list[Message] = []
        """Of the blocks that nothing can change any more."""
        self._block: list[Entry] = []
        """The last one, while the turn goes on."""
        through = 0 if summary is None else summary.through
        self._taken = sum(e.seq <= through for e in turn.entries)

    def take(self) -> None:
        """What is new in the turn."""
        turn = self.turn
        if self._taken < len(turn.entries):
            known = [*self._block, *turn.entries[self._taken :]]
            self._taken = len(turn.entries)
            *done, self._block = blocks(known)
            for block in done:
                _add(self.settled, tuple(_told(block, turn)))
        if turn.end is not None:
            _add(self.settled, self.open())
            self._block = []

    def open(self) -> Sequence[Message]:
        """Of the last block."""
        return tuple(_told(self._block, self.turn))


def _add(found: list[Message], more: Sequence[Message]) -> None:
    """Append; what people said in a row becomes one message."""
    for message in more:
        last = found[-1] if found else None
        if last is not None and last.role == message.role == "user":
            found[-1] = Message("user", f"{last.text}\n\n{message.text}")
        else:
            found.append(message)


def _join(found: list[Message], more: Sequence[Message]) -> None:
    """The same, where `more` is in itself as it shall be."""
    _add(found, more[:1])
    found += more[1:]


def _summed_up(turns: Sequence[Turn], summary: Summary) -> Sequence[Message]:
    """The first message, the summary, and the message that the summary would cut off its turn."""
    first = turns[0].entries[0]
    said = [e for e in turns[-1].entries if isinstance(e.event, UserMessage)]
    last = said[-1] if said else turns[-1].entries[0]
    told = [
        _heard(first.event),
        Message("user", f"[Summary of the conversation so far]\n{summary.text}"),
    ]
    if last.seq <= summary.through and last is not first:
        told.append(_heard(last.event))
    return told


def blocks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries that belong together: a person's message, or a reply with its calls and results."""
    block: list[Entry] = []
    for entry in entries:
        if isinstance(entry.event, UserMessage | AssistantMessage) and block:
            yield block
            block = []
        block.append(entry)
    if block:
        yield block


def _told(block: Sequence[Entry], turn: Turn) -> Iterator[Message]:
    """A reply, then its results in the order of its calls, then notes."""
    calls: list[CallState] = []
    notes: list[Message] = []
    spoken: AssistantMessage | None = None
    for entry in block:
        match entry.event:
            case UserMessage():
                yield _heard(entry.event)
            case AssistantMessage():
                spoken = entry.event
            case ToolCall(call=id):
                calls.append(turn.calls[id])
            case Notice():
                notes.append(_heard(entry.event))
            case ToolOutput():
                pass  # told with its call, in the calls' order
            case _ as never:
                assert_never(never)
    if spoken is not None and (spoken.text or calls):
        made = tuple(CallMade(c.made.call, c.made.tool, _clipped(c.arguments)) for c in calls)
        yield Message("assistant", clip(spoken.text, LONGEST_MESSAGE), calls=made)
    for call in calls:
        output = "(no result)" if call.output is None else call.output.output
        yield Message("tool", clip(output, LONGEST_MESSAGE), call=call.made.call)
    yield from notes


def _clipped(arguments: JsonObject) -> JsonObject:
    """Long texts are cut: a file that was written need not be read again with every request."""
    return {
        name: clip(value, LONGEST_MESSAGE) if isinstance(value, str) else value
        for name, value in arguments.items()
    }


def _heard(event: object) -> Message:
    """What a person said, or a note that stands where a person might have spoken."""
    if isinstance(event, Notice):
        return Message("user", f"[Note from Mooring] {event.text}")
    assert isinstance(event, UserMessage)
    text = clip(event.text, LONGEST_MESSAGE)
    if event.attachments:
        text += f"\n\n[Attached files in the workspace: {', '.join(event.attachments)}]"
    return Message("user", text)
