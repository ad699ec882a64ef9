"""A title for a session that has none, asked for when its first turn is over."""

from contextlib import aclosing

from agent.asking import Aside, usage_of
from agent.conversation import Message
from agent.history import History
from agent.means import Means
from agent.models.port import ModelRequest
from agent.protocol import MOORING, SessionUpdated, Usage

LONGEST_TITLE = 80
LONGEST_QUOTE = 2_000
INSTRUCTION = (
    "Give this conversation a title of at most six words, in its own language. "
    "Answer with the title alone."
)


def wants_title(history: History) -> bool:
    """It has no title, and a turn of it was completed."""
    if history.title or history.ended or history.open_turn is not None:
        return False
    last = history.last_turn
    return last is not None and last.end is not None and last.end.status == "completed"


async def find_title(history: History, means: Means) -> tuple[Usage, SessionUpdated]:
    """The events that give the title, the cost first; raises ModelError."""
    first = (history.counting or tuple(history.turns.values()))[0].message
    assert first is not None, "no job has ended before the first turn"
    asked = (Message("system", INSTRUCTION), Message("user", first.text[:LONGEST_QUOTE]))
    request = ModelRequest(history.model, asked, max_output_tokens=200)
    aside = Aside()
    async with aclosing(means.models.adapter(history.model).stream(request)) as pieces:
        async for piece in pieces:
            aside.take(piece)
    used = aside.used([m.text for m in asked])
    usage = usage_of(used, request.model, "title")
    return usage, SessionUpdated(MOORING, title=_tidy(aside.text) or _tidy(first.text))


def _tidy(text: str) -> str:
    """The first line, without quotes around it."""
    line = next(iter(text.strip().splitlines()), "").strip().strip("\"'`*#").strip()
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rstrip()}…"
