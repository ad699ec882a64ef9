"""An exported session: the stored bytes as they are, or a text that a person can read."""

import msgspec
import pytest

from agent import protocol
from agent.protocol import AnyEvent, encode_event
from server import export
from server.errors import LogDamaged
from server.store.port import EventPage

AT = "2026-11-20T12:00:00.000Z"


class PagedLog:
    """A log that hands out `size` events a page."""

    def __init__(self, *events: AnyEvent, size: int = 2) -> None:
        self.bodies = tuple(
            encode_event({"seq": seq, "at": AT} | msgspec.to_builtins(event))
            for seq, event in enumerate(events, 1)
        )
        self.size = size

    async def events_after(
        self, session: str, after: int, *, limit: int, max_bytes: int
    ) -> EventPage:
        page = self.bodies[after : after + self.size]
        more = after + self.size < len(self.bodies)
        return EventPage(after + 1, page, len(self.bodies), 1, more)


async def exported(log: PagedLog, form: export.ExportFormat) -> str:
    return b"".join([piece async for piece in export.pieces(log, "s1", form)]).decode()


async def markdown(*events: AnyEvent) -> str:
    return await exported(PagedLog(*events), "md")


async def test_jsonl_is_every_stored_event_byte_for_byte_whatever_the_pages() -> None:
    events = [protocol.Notice(code="n", text=str(number)) for number in range(5)]
    for size in (1, 2, 5, 9):
        log = PagedLog(*events, size=size)
        assert await exported(log, "jsonl") == "".join(f"{b.decode()}\n" for b in log.bodies)


async def test_a_log_without_events_is_an_empty_file() -> None:
    assert await exported(PagedLog(), "md") == ""


@pytest.mark.parametrize("form", ["md", "jsonl"])
async def test_a_damaged_event_is_named_when_its_page_comes(form: export.ExportFormat) -> None:
    log = PagedLog(*(protocol.Notice(code="n", text=str(number)) for number in range(4)))
    log.bodies = (*log.bodies[:3], b"garbage")
    pieces = export.pieces(log, "s1", form)
    assert await anext(pieces)
    with pytest.raises(LogDamaged, match="Event 4"):
        await anext(pieces)


async def test_a_conversation_reads_from_top_to_bottom() -> None:
    text = await markdown(
        protocol.SessionCreated(model="demo", title="Tides"),
        protocol.InputQueued("c0", "not yet", "queue", "ada"),
        protocol.UserMessage(turn="t1", submission="c1", text="When?", author="ada"),
        protocol.TurnStarted("t1", "c1", "demo"),
        protocol.AssistantMessage("t1", "i1", "At noon.", reasoning="The moon\nis up."),
        protocol.TurnEnded("t1", "completed"),
    )
    assert text == (
        f"# Tides\n\n*demo, {AT}*\n\n## ada, {AT}\n\nWhen?\n\n> The moon\n> is up.\n\nAt noon.\n\n"
    )


async def test_a_call_shows_what_ran_and_what_came_of_it() -> None:
    text = await markdown(
        protocol.ToolCall("t1", "k1", "bash", {"command": "ls"}, "execute"),
        protocol.ApprovalRequired("t1", (protocol.Question("k1", "bash", {}, "it lists"),)),
        protocol.ApprovalResolved(
            "t1", (protocol.Decision("k1", "approve", feedback="go\non"),), "bob", "c2"
        ),
        protocol.ToolStarted("t1", "k1", {"command": "ls -l"}),
        protocol.ToolOutput("t1", "k1", "ok", "a\nb", True, 900, 0.1),
    )
    assert '**bash** `k1`\n\n```json\n{\n  "command": "ls"\n}\n```' in text
    assert "*Asked about bash: it lists* `k1`" in text
    assert "*bob ruled approve: go on* `k1`" in text
    assert '"command": "ls -l"' in text
    assert "*ok, shortened from 900 characters* `k1`\n\n```\na\nb\n```" in text


async def test_a_step_of_a_research_is_told_without_its_output() -> None:
    step = protocol.Step("t1", "k1", "s1", "web_search", {"query": "x"}, "ok", "Found.", 0.5)
    text = await markdown(step)
    assert text.startswith("*web_search, a step of `k1`: ok*\n\n```json\n")
    assert '"query": "x"' in text
    assert "Found." not in text


async def test_output_cannot_close_the_block_it_is_in() -> None:
    text = await markdown(protocol.ToolOutput("t1", "k1", "ok", "```\n# no", False, 8, 0.1))
    assert "````\n```\n# no\n````" in text


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (protocol.TurnUndone("t1", "c1"), "was undone"),
        (protocol.TurnEnded("t1", "interrupted", reason="server_restart"), "server_restart"),
        (
            protocol.TurnEnded("t1", "failed", error=protocol.TurnError("x", "No key.", False)),
            "failed (No key.)",
        ),
        (protocol.SessionEnded("shutdown"), "session ended"),
        (protocol.Compacted(9, 3, "It was long.", 4), "> It was long."),
        (protocol.AssistantMessage("t1", "i1", "Half a", partial=True), "cut short"),
        (protocol.PlanUpdated("t1", (protocol.PlanItem("1", "Sail", "completed"),)), "- [x] Sail"),
        (protocol.Notice("n", "Mind\nthe gap"), "*Note: Mind the gap*"),
        (
            protocol.UserMessage("t1", "c1", "See", "ada", attachments=("a.csv",)),
            "*Attached: `a.csv`*",
        ),
    ],
)
async def test_what_a_reader_must_know_of_the_course_is_said(event: AnyEvent, line: str) -> None:
    assert line in await markdown(event)
