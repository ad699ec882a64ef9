"""What to summarise of a long conversation and what to keep as it is."""

from collections.abc import Sequence
from typing import assert_never

from agent.conversation import Message
from agent.history import Entry, History, Summary
from agent.protocol import AssistantMessage, Notice, ToolCall, ToolOutput, UserMessage
from agent.transcript import blocks, clip, messages, size_of

KEPT = 5
"""Messages that stay as they are, back to one of a person."""
SUMMARY_PART = 0.1
"""The part of the context window that the summary may take."""
REQUEST_PART = 0.6
"""The part of the context window that the text to be summarised may take."""
LONGEST_PART = 2_000
"""Tokens of one message within the text to be summarised."""

INSTRUCTION = """\
You write the memory of an assistant whose conversation has grown too long. From the transcript, \
write a summary that lets it go on without asking again: what the person wants (their words where \
they matter), what was decided and why, what was done and found (files, commands, identifiers, \
numbers, errors), the state of the plan, and what comes next. Facts only; no greeting, no \
comment."""


def cut_point(history: History, limit: int) -> int | None:
    """The seq through which to summarise; None where nothing would be won.

    Keeps the last messages back to one of a person, fewer where what stays would fill half of the
    window of `limit` tokens, and never parts a reply from its results.
    """
    done = history.summary.through if history.summary else 0
    found = list(blocks(e for e in history.shown() if e.seq > done))
    replies = [n for n, block in enumerate(found) if isinstance(block[0].event, AssistantMessage)]
    if not replies:
        return None
    starts = (start for start in _starts(found) if start > replies[0])
    throughs = (found[start - 1][-1].seq for start in starts)
    return next((t for t in throughs if _stays(history, t) <= limit // 2), found[-1][-1].seq)


def summary_request(history: History, through: int, limit: int) -> tuple[Message, ...]:
    """The messages that ask for the summary; they fit into a window of `limit` tokens."""
    done = history.summary
    parts = [f"[Earlier summary]\n{done.text}"] if done else []
    start = done.through if done else 0
    parts += [_line(e) for e in history.shown() if start < e.seq <= through]
    text = clip("\n\n".join(parts), int(limit * REQUEST_PART))
    return (Message("system", INSTRUCTION), Message("user", text))


def _starts(found: Sequence[Sequence[Entry]]) -> list[int]:
    """Where the kept part may begin, the best first."""
    last = max(len(found) - KEPT, 0)
    spoken = [n for n in range(last + 1) if isinstance(found[n][0].event, UserMessage)]
    return [*spoken[-1:], *range(last, len(found))]


def _stays(history: History, through: int) -> int:
    """Tokens that the model is shown beside the system prompt and the summary."""
    return size_of(messages(history, "", Summary(history.head + 1, "", through)))


def _line(entry: Entry) -> str:
    match entry.event:
        case UserMessage(text=text):
            return f"User: {clip(text, LONGEST_PART)}"
        case AssistantMessage(text=text):
            return f"Assistant: {clip(text, LONGEST_PART)}"
        case ToolCall(tool=tool, arguments=arguments):
            return f"Call of {tool}: {clip(str(arguments), LONGEST_PART)}"
        case ToolOutput(status=status, output=output):
            return f"Result ({status}): {clip(output, LONGEST_PART)}"
        case Notice(text=text):
            return f"Note: {text}"
        case _ as never:
            assert_never(never)
