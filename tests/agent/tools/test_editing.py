"""Quoting a passage nearly right is enough where it is clear; else the reason helps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Problem
from agent.tools.editing import replace

CODE = "def f():\n    if x:\n        return 1\n    return 2\n"

REPLACED = [
    ("the exact passage", "abc", "b", "X", "aXc"),
    ("across lines", "a\nb\nc\n", "a\nb", "X", "X\nc\n"),
    ("deletes", "a\nb\nc\n", "b\n", "", "a\nc\n"),
    ("trailing white space of the file", "a  \nb\n", "a\nb", "X", "X\n"),
    ("trailing white space of the quotation", "a\nb\n", "a \nb", "X", "X\n"),
    ("white space inside a line", "a  =  1\n", "a = 1", "a = 2", "a = 2\n"),
    (
        "indented like the file",
        CODE,
        "if x:\n    return 1\n",
        "if y:\n    return 3\n",
        "def f():\n    if y:\n        return 3\n    return 2\n",
    ),
    (
        "less indented than quoted",
        "a:\n  b\n",
        "      b ",
        "      c\n      d",
        "a:\n  c\n  d\n",
    ),
    ("deletes whole lines loosely", "a\n  b\nc\n", "    b ", "", "a\nc\n"),
    ("deletes the last line loosely", "a\n  b", "    b ", "", "a\n"),
    ("windows line ends", "a\r\nb\r\nc\r\n", "a\nb", "X\nY", "X\r\nY\r\nc\r\n"),
    ("windows line ends loosely", "  a\r\nb\r\n", "a \nb", "X\nY", "  X\r\n  Y\r\n"),
]


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"), [c[1:] for c in REPLACED], ids=[c[0] for c in REPLACED]
)
def test_a_passage_is_replaced(text: str, old: str, new: str, expected: str) -> None:
    assert replace(text, old, new).text == expected


def test_an_exact_passage_comes_before_one_that_is_only_like_it() -> None:
    edited = replace("a  b\na b\n", "a b", "X")
    assert (edited.text, edited.lines, edited.exact) == ("a  b\nX\n", (2,), True)


def test_every_place_is_replaced_when_asked_to() -> None:
    edited = replace("a b a\na", "a", "X", all=True)
    assert (edited.text, edited.lines) == ("X b X\nX", (1, 1, 2))
    loose = replace("a  b\nc\na   b\n", "a b ", "X", all=True)
    assert (loose.text, loose.lines, loose.exact) == ("X\nc\nX\n", (1, 3), False)


REFUSED = [
    ("empty", "abc", " \n", "must quote"),
    ("twice", "a\nb\na\n", "a", "2 times, at lines 1, 3. Quote more"),
    ("very often", "a\n" * 12, "a", "12 times, at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and more"),
    ("nowhere", "a\nb\n", "x\ny", "No line of it is like the first one quoted: 'x'"),
    ("departs", "a\nb\nc\n", "a\nb\nd", "Line 1 begins like it, but line 3 is 'c', not 'd'"),
    ("the file ends", "a\nb", "b\nc", "Line 2 begins like it, but the file ends"),
    ("long lines are cut", "a", "x" * 100, "'" + "x" * 80 + "...'"),
]


@pytest.mark.parametrize(
    ("text", "old", "why"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_why_a_passage_was_not_replaced(text: str, old: str, why: str) -> None:
    with pytest.raises(Problem) as caught:
        replace(text, old, "X")
    assert why in caught.value.message


LINES = st.lists(st.text("ab \t", max_size=6), min_size=1, max_size=6)


@given(LINES, LINES, LINES)
def test_what_is_around_a_passage_stays_as_it_is(
    before: list[str], passage: list[str], after: list[str]
) -> None:
    old = "\n".join(["<", *passage, ">"])
    text = "\n".join([*before, old, *after])
    edited = replace(text, old, "NEW")
    assert edited.text == "\n".join([*before, "NEW", *after])
    assert (edited.lines, edited.exact) == ((len(before) + 1,), True)


@given(LINES, LINES, LINES, st.sampled_from([" ", "  ", "\t"]))
def test_white_space_around_lines_does_not_matter(
    before: list[str], passage: list[str], after: list[str], space: str
) -> None:
    text = "\n".join([*before, "<", *passage, ">", *after])
    quoted = "\n".join(f"{line}{space}" for line in ["<", *passage, ">"])
    assert replace(text, quoted, "NEW").text == "\n".join([*before, "NEW", *after])
