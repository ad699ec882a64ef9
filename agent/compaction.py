"""What to summarise of a long conversation and what to keep as it is."""

from collections.abc import Sequence

from agent.conversation import Message
from agent.history import Entry, History, estimate_tokens
from agent.protocol import AssistantMessage, Notice, ToolCall, ToolOutput, UserMessage
from agent.transcript import blocks, clip

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

    Keeps the last messages back to one of a person, fewer where those alone would fill half of the
    window of `limit` tokens, and never parts a reply from its results.
    """
    done = history.summary.through if history.summary else 0
    found = list(blocks(e for e in history.shown() if e.seq > done))
    if not any(isinstance(b[0].event, AssistantMessage) for b in found):
        return None
    for start in _starts(found):
        summed, kept = found[:start], found[start:]
        worth_it = any(isinstance(b[0].event, AssistantMessage) for b in summed)
        if worth_it and (not kept or _size(kept) <= limit // 2):
            return summed[-1][-1].seq
    return None


def summary_request(history: History, through: int, limit: int) -> tuple[Message, ...]:
    """The messages that ask for the summary; they fit into a window of `limit` tokens."""
    done = history.summary
    parts = [f"[Earlier summary]\n{done.text}"] if done else []
    start = done.through if done else 0
    parts += [_line(e) for e in history.shown() if start < e.seq <= through]
    text = clip("\n\n".join(parts), int(limit * REQUEST_PART))
    return (Message("system", INSTRUCTION), Message("user", text))


def _starts(found: Sequence[Sequence[Entry]]) -> list[int]:
    """Where the kept part may begin, the best first; the last keeps nothing."""
    total = len(found)
    last = max(total - KEPT, 0)
    spoken = [n for n in range(last + 1) if isinstance(found[n][0].event, UserMessage)]
    return [*spoken[-1:], *range(last, total + 1)]


def _size(found: Sequence[Sequence[Entry]]) -> int:
    return sum(estimate_tokens(_line(e)) for block in found for e in block)


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
