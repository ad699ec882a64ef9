"""A paper in markdown, section by section: what there is, and the text of one."""

import re

from msgspec import Struct

from agent.errors import Problem

PART = 8000
"""Characters of a section that are given at a time."""
ABSTRACT = 2000
_HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*$", re.MULTILINE)


class Section(Struct, frozen=True):
    depth: int
    title: str
    text: str


def sections(markdown: str) -> tuple[Section, ...]:
    """Each with the text up to the next heading of any depth; without headings, one for all."""
    found = list(_HEADING.finditer(markdown))
    if not found:
        return (Section(1, "The whole paper", markdown.strip()),)
    ends = [one.start() for one in found[1:]] + [len(markdown)]
    return tuple(
        Section(len(one[1]), one[2], markdown[one.end() : end].strip())
        for one, end in zip(found, ends, strict=True)
    )


def contents(markdown: str) -> str:
    """The beginning, and all sections with their numbers and sizes."""
    listed = sections(markdown)
    abstract = next((one for one in listed if "abstract" in one.title.lower()), listed[0])
    lines = [
        f"{number}. {'  ' * (one.depth - 1)}{one.title} ({len(one.text):,} characters)"
        for number, one in enumerate(listed, 1)
    ]
    text = abstract.text[:ABSTRACT]
    return "\n".join(
        (f"{abstract.title}: {text}", "", "Sections (read one with `section`):", *lines)
    )


def section(markdown: str, wanted: str, offset: int) -> str:
    """By its number or words of its title, with what is below it. Raises Problem."""
    listed = sections(markdown)
    first = _found(listed, wanted)
    if first is None:
        titles = "; ".join(f"{n}. {one.title}" for n, one in enumerate(listed, 1))
        raise Problem("no_such_section", f"There is no section {wanted!r}. There are: {titles}")
    text = "\n\n".join(_with_below(listed, first))
    if offset and offset >= len(text):
        raise Problem("bad_offset", f"The section has only {len(text)} characters.")
    end = offset + PART
    more = f"\n\n[characters {offset} to {end} of {len(text)}; read on with offset {end}]"
    return text[offset:end] + (more if end < len(text) else "")


def _found(listed: tuple[Section, ...], wanted: str) -> int | None:
    if wanted.isdecimal() and 0 < int(wanted) <= len(listed):
        return int(wanted) - 1
    words = wanted.lower()
    return next((n for n, one in enumerate(listed) if words in one.title.lower()), None)


def _with_below(listed: tuple[Section, ...], first: int) -> list[str]:
    texts = [f"{'#' * listed[first].depth} {listed[first].title}\n\n{listed[first].text}"]
    for one in listed[first + 1 :]:
        if one.depth <= listed[first].depth:
            break
        texts.append(f"{'#' * one.depth} {one.title}\n\n{one.text}")
    return texts
