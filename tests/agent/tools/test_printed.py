"""A long output shows a quarter from its beginning and the rest from its end."""

from hypothesis import given
from hypothesis import strategies as st

from agent.tools.printed import Printed, kept_at


@given(st.lists(st.text("ab\n", max_size=50)), st.integers(4, 60))
def test_whatever_the_pieces_the_cut_is_that_of_the_whole(pieces: list[str], limit: int) -> None:
    printed = Printed(limit)
    for piece in pieces:
        printed.add(piece)
    whole = "".join(pieces)
    text, truncated = printed.cut()
    assert (printed.size, truncated, printed.truncated) == (
        len(whole),
        len(whole) > limit,
        truncated,
    )
    if not truncated:
        assert text == whole
        return
    head, tail = whole[: limit // 4], whole[-(limit - limit // 4) :]
    assert text == f"{head}\n[... {len(whole) - limit} characters left out ...]\n{tail}"


def test_a_cut_says_where_the_whole_is() -> None:
    printed = Printed(8)
    printed.add("0123456789")
    text, _ = printed.cut(kept_at("c1"))
    assert text == (
        "01\n[... 2 characters left out; the whole is in .mooring/outputs/c1.txt ...]\n456789"
    )


def test_memory_does_not_grow_with_the_output() -> None:
    printed = Printed(100)
    for _ in range(10_000):
        printed.add("x" * 30)
    assert sum(map(len, printed._rest)) < 200
