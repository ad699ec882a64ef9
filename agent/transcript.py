"""The history as messages for a model: without what was undone, what was compacted summed up."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from agent.conversation import CallMade, Message
from agent.history import CallState, Entry, History, Summary, estimate_tokens
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


def messages(history: History, system: str, summary: Summary | None = None) -> tuple[Message, ...]:
    """The system prompt, then the conversation; what people said in a row is one message.

    `summary` goes before the history's own: what would be shown if it were recorded.
    """
    found = [Message("system", system)]
    for message in _conversation(history, summary or history.summary):
        last = found[-1]
        if last.role == message.role == "user":
            found[-1] = Message("user", f"{last.text}\n\n{message.text}")
        else:
            found.append(message)
    return tuple(found)


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


def _conversation(history: History, summary: Summary | None) -> Iterator[Message]:
    entries = list(history.shown())
    if summary is not None:
        yield from _summed_up(entries, summary)
        entries = [e for e in entries if e.seq > summary.through]
    for block in blocks(entries):
        yield from _told(block, history)


def _summed_up(entries: list[Entry], summary: Summary) -> Iterator[Message]:
    """The first message, the summary, and the message that the summary would cut off its turn."""
    said = [e for e in entries if isinstance(e.event, UserMessage)]
    yield _heard(said[0].event)
    yield Message("user", f"[Summary of the conversation so far]\n{summary.text}")
    last = said[-1]
    if last.seq <= summary.through and last is not said[0]:
        yield _heard(last.event)


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


def _told(block: list[Entry], history: History) -> Iterator[Message]:
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
            case ToolCall(turn=turn, call=id):
                calls.append(history.turns[turn].calls[id])
            case Notice(text=text):
                notes.append(Message("user", f"[Note from Mooring] {text}"))
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
    assert isinstance(event, UserMessage)
    text = clip(event.text, LONGEST_MESSAGE)
    if event.attachments:
        text += f"\n\n[Attached files in the workspace: {', '.join(event.attachments)}]"
    return Message("user", text)
