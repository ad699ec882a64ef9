"""A growing text is read from any code point on."""

from hypothesis import given
from hypothesis import strategies as st

from server.delivery.growing import Growing, Kind
from server.wire import ReasoningDelta, TextDelta, ToolLog


def grown(kind: Kind, pieces: list[str], keep: int = 1_000_000) -> Growing:
    text = Growing(kind, "t1", "i1", keep)
    for piece in pieces:
        text.fresh.append(piece)
        text.settle()
    return text


@given(pieces=st.lists(st.text(max_size=8)), data=st.data())
def test_every_offset_gives_the_rest(pieces: list[str], data: st.DataObject) -> None:
    text, whole = grown("text", pieces), "".join(pieces)
    assert text.length == len(whole)
    if whole:
        offset = data.draw(st.integers(0, len(whole) - 1))
        at_most = data.draw(st.integers(1, 20))
        assert text.delta(offset, at_most) == TextDelta(
            "t1", "i1", offset, whole[offset : offset + at_most]
        )


@given(pieces=st.lists(st.text(min_size=1, max_size=8), min_size=1), data=st.data())
def test_a_log_keeps_its_end_and_says_what_it_skipped(
    pieces: list[str], data: st.DataObject
) -> None:
    keep = data.draw(st.integers(1, 30))
    text, whole = grown("tool_log", pieces, keep), "".join(pieces)
    offset = data.draw(st.integers(0, len(whole) - 1))
    floor = max(0, len(whole) - keep)
    start = max(offset, floor)
    assert text.floor == floor
    assert text.delta(offset, 1000) == ToolLog("t1", "i1", start, whole[start:], start - offset)


def test_what_a_model_writes_beyond_the_bound_is_left_out() -> None:
    text = grown("reasoning", ["abc", "def", "ghi"], keep=5)
    assert text.length == 5
    assert text.delta(0, 100) == ReasoningDelta("t1", "i1", 0, "abcde")


def test_nothing_fresh_changes_nothing() -> None:
    text = grown("text", ["abc"])
    assert text.settle() is False
    text.fresh.append("")
    assert text.settle() is False
    assert text.length == 3


def test_offsets_count_code_points() -> None:
    text = grown("text", ["a🙂", "é"])
    assert text.delta(2, 100) == TextDelta("t1", "i1", 2, "é")


def test_half_a_surrogate_pair_is_replaced_and_keeps_its_place() -> None:
    text = grown("text", ["a\ud83d", "b"])
    assert text.delta(0, 100) == TextDelta("t1", "i1", 0, "a?b")


def test_what_is_settled_is_the_text_of_which_a_log_holds_the_end() -> None:
    assert grown("text", ["abc", "def"]).text == "abcdef"
    assert grown("tool_log", ["abc", "def"], keep=4).text == "cdef"
