"""Replacing a passage of a text that was quoted nearly right, or saying why it cannot be. Pure."""

from collections.abc import Sequence
from itertools import takewhile

from msgspec import Struct

from agent.errors import Problem

_SHOWN = 80
_PLACES_SHOWN = 10


class Edited(Struct, frozen=True):
    """The new text, the lines (from 1) where it was changed, and how exact the quotation was."""

    text: str
    lines: tuple[int, ...]
    exact: bool


class _Span(Struct, frozen=True):
    """Characters `start` to `end` become `new`."""

    start: int
    end: int
    new: str


def replace(text: str, old: str, new: str, *, all: bool = False) -> Edited:
    """Raises Problem `no_match` or `many_matches`, with what helps to quote better.

    The exact passage counts; where there is none, one that differs only in white space, and what
    replaces it is indented like it.
    """
    if not old.strip():
        raise Problem("no_match", "`old` must quote some text. To fill an empty file, use write.")
    if "\r\n" in text and text.count("\r\n") * 2 > text.count("\n"):
        old, new = (part.replace("\r\n", "\n").replace("\n", "\r\n") for part in (old, new))
    spans = _exact(text, old, new)
    exact = bool(spans)
    spans = spans or _tolerant(text, old, new)
    if not spans:
        raise Problem("no_match", f"`old` is not in the file. {_why(text, old)}")
    lines = tuple(text.count("\n", 0, span.start) + 1 for span in spans)
    if len(spans) > 1 and not all:
        places = ", ".join(map(str, lines[:_PLACES_SHOWN]))
        more = " and more" if len(lines) > _PLACES_SHOWN else ""
        says = f"`old` is there {len(spans)} times, at lines {places}{more}."
        raise Problem("many_matches", f"{says} Quote more around the one you mean, or set `all`.")
    return Edited(_applied(text, spans), lines, exact)


def _exact(text: str, old: str, new: str) -> list[_Span]:
    spans = []
    start = text.find(old)
    while start >= 0:
        spans.append(_Span(start, start + len(old), new))
        start = text.find(old, start + len(old))
    return spans


def _tolerant(text: str, old: str, new: str) -> list[_Span]:
    lines = text.split("\n")
    quoted = old.strip("\r\n").split("\n")
    wanted = [_squeezed(line) for line in quoted]
    squeezed = [_squeezed(line) for line in lines]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    spans: list[_Span] = []
    first = 0
    while first <= len(lines) - len(wanted):
        last = first + len(wanted)
        if squeezed[first:last] != wanted:
            first += 1
            continue
        put = _indented(new.strip("\r\n"), quoted, lines[first:last])
        carriage = len(lines[last - 1]) - len(lines[last - 1].rstrip("\r"))
        end = starts[last] - 1 - carriage
        spans.append(_Span(starts[first], end, put) if put else _whole(starts, first, last, text))
        first = last
    return spans


def _whole(starts: Sequence[int], first: int, last: int, text: str) -> _Span:
    """Lines that are replaced by nothing go with their line ends."""
    return _Span(starts[first], min(starts[last], len(text)), "")


def _indented(new: str, quoted: Sequence[str], found: Sequence[str]) -> str:
    """`new` moved from the indentation of the quotation to that of what was found."""
    place = next(number for number, line in enumerate(quoted) if line.strip())
    before, after = _indentation(quoted[place]), _indentation(found[place])
    return "\n".join(
        after + line.removeprefix(before) if line.strip() and line.startswith(before) else line
        for line in new.split("\n")
    )


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _squeezed(line: str) -> str:
    return " ".join(line.split())


def _applied(text: str, spans: Sequence[_Span]) -> str:
    parts = []
    position = 0
    for span in spans:
        parts += [text[position : span.start], span.new]
        position = span.end
    return "".join(parts) + text[position:]


def _why(text: str, old: str) -> str:
    """Where the quotation comes nearest, and where it departs."""
    lines = text.split("\n")
    quoted = old.strip("\r\n").split("\n")
    there = [_squeezed(line) for line in lines]
    wanted = [_squeezed(line) for line in quoted]
    agreed = [_agreement(there, wanted, first) for first in range(len(lines))]
    best = max(agreed)
    if best == 0:
        return f"No line of it is like the first one quoted: {_short(quoted[0])}."
    first = agreed.index(best)
    if first + best == len(lines):
        return f"Line {first + 1} begins like it, but the file ends before it does."
    departs = f"line {first + best + 1} is {_short(lines[first + best])}"
    return f"Line {first + 1} begins like it, but {departs}, not {_short(quoted[best])}."


def _agreement(lines: Sequence[str], wanted: Sequence[str], first: int) -> int:
    """How many lines from `first` on agree before one does not."""
    pairs = ((lines[first + n], line) for n, line in enumerate(wanted[: len(lines) - first]))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _short(line: str) -> str:
    line = line.strip()
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")
