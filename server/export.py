"""A session's log as a file: its events as they are stored (jsonl), or as a text to read (md)."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Literal, Protocol

import msgspec

from agent import protocol
from agent.protocol import AnyEvent
from server.errors import LogDamaged
from server.sessions.loading import recorded
from server.store.port import EventPage

ExportFormat = Literal["md", "jsonl"]
PAGE_EVENTS = 500
PAGE_BYTES = 1 << 20


class Log(Protocol):
    """The part of the store that an export reads."""

    async def events_after(
        self, session: str, after: int, *, limit: int, max_bytes: int
    ) -> EventPage: ...


_MARKS = {"completed": "x", "in_progress": "~", "pending": " "}


async def pieces(store: Log, session: str, form: ExportFormat) -> AsyncIterator[bytes]:
    """The file in order, a page of the log at a time; NoSuchSession comes before any of it.

    Raises LogDamaged before the page with an event that is none.
    """
    after, more = 0, True
    while more:
        page = await store.events_after(session, after, limit=PAGE_EVENTS, max_bytes=PAGE_BYTES)
        yield b"".join(_written(seq, body, form) for seq, body in enumerate(page.bodies, after + 1))
        after, more = after + len(page.bodies), page.more


def piece(seq: int, body: bytes | None, form: ExportFormat) -> bytes | None:
    """One event's part of the file; None where it is damaged."""
    if body is None:
        return None
    try:
        return _written(seq, body, form)
    except LogDamaged:
        return None


def _written(seq: int, body: bytes, form: ExportFormat) -> bytes:
    entry = recorded(seq, body)
    if form == "jsonl":
        return body + b"\n"
    return "".join(f"{block}\n\n" for block in _blocks(entry.event, entry.at)).encode()


def _blocks(event: AnyEvent, at: str) -> Iterator[str]:
    """An event as blocks of Markdown; what only the machinery needs is left out."""
    match event:
        case protocol.SessionCreated(model=model, title=title):
            yield f"# {_line(title) or 'A session'}"
            yield f"*{_line(model)}, {at}*"
        case protocol.UserMessage(author=author, text=text, attachments=attachments):
            yield f"## {_line(author)}, {at}"
            yield text
            yield from (f"*Attached: `{_line(path)}`*" for path in attachments)
        case protocol.AssistantMessage(text=text, reasoning=reasoning, partial=partial):
            if reasoning:
                yield "\n".join(f"> {line}" for line in reasoning.splitlines())
            if text:
                yield text
            if partial:
                yield "*(cut short)*"
        case protocol.PlanUpdated(items=items):
            yield "\n".join(f"- [{_MARKS[item.status]}] {_line(item.content)}" for item in items)
        case protocol.Compacted(summary=summary):
            yield "*What came before was summarised for the model:*"
            yield "\n".join(f"> {line}" for line in summary.splitlines())
        case _:
            yield from _of_a_call(event)


def _of_a_call(event: AnyEvent) -> Iterator[str]:
    match event:
        case protocol.ToolCall(tool=tool, arguments=arguments, call=call):
            yield f"**{_line(tool)}** `{_line(call)}`"
            yield _fenced(msgspec.json.format(msgspec.json.encode(arguments)).decode(), "json")
        case protocol.ToolStarted(arguments=dict() as edited, call=call):
            yield f"*Run with these arguments in place of the asked ones:* `{_line(call)}`"
            yield _fenced(msgspec.json.format(msgspec.json.encode(edited)).decode(), "json")
        case protocol.ToolOutput(status=status, output=output, call=call, truncated=truncated):
            cut = f", shortened from {event.size} characters" if truncated else ""
            yield f"*{status}{cut}* `{_line(call)}`"
            if output:
                yield _fenced(output)
        case protocol.Step(tool=tool, arguments=arguments, call=call, status=status):
            yield f"*{_line(tool)}, a step of `{_line(call)}`: {status}*"
            yield _fenced(msgspec.json.format(msgspec.json.encode(arguments)).decode(), "json")
        case protocol.ApprovalRequired(calls=calls):
            for asked in calls:
                yield f"*Asked about {_line(asked.tool)}: {_line(asked.reason)}* `{asked.call}`"
        case protocol.ApprovalResolved(decisions=decisions, by=by):
            for ruled in decisions:
                said = f": {_line(ruled.feedback)}" if ruled.feedback else ""
                yield f"*{_line(by)} ruled {ruled.decision}{said}* `{_line(ruled.call)}`"
        case _:
            yield from _of_the_course(event)


def _of_the_course(event: AnyEvent) -> Iterator[str]:
    match event:
        case protocol.JobStarted(title=title, job=job, url=url):
            where = f" ({_line(url)})" if url else ""
            yield f"*The job `{_line(job)}` began: {_line(title)}{where}*"
        case protocol.JobEnded(job=job, status=status, output=output, seconds=seconds):
            yield f"*The job `{_line(job)}` ended: {status}, {seconds:g} s*"
            if output:
                yield _fenced(output)
        case protocol.Notice(text=text):
            yield f"*Note: {_line(text)}*"
        case protocol.TurnUndone():
            yield "*The last turn above was undone: it no longer counts.*"
        case protocol.TurnEnded(status=status, reason=reason, error=error) if status != "completed":
            why = error.message if error else reason
            yield f"*The turn ended: {status}{f' ({_line(why)})' if why else ''}.*"
        case protocol.SessionEnded(reason=reason):
            yield f"*The session ended: {_line(reason)}.*"
        case _:
            pass


def _line(text: str) -> str:
    return " ".join(text.split())


def _fenced(text: str, language: str = "") -> str:
    """A code block that its content cannot close."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
