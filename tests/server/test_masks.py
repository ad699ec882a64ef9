"""What a client says reaches the parser as it came, up to the first frame without a mask."""

import struct

import pytest

from server.masks import NO_FRAME, Masked

MASK = b"\1\2\3\4"
SHORT = b"\x81\x82" + MASK + b"ab"
EMPTY = b"\x89\x80" + MASK
LONG = b"\x81\xfe" + struct.pack("!H", 300) + MASK + b"c" * 300
LONGER = b"\x82\xff" + struct.pack("!Q", 70_000) + MASK + b"\0" * 70_000
HONEST = SHORT + EMPTY + LONG + LONGER + SHORT
BARE = {
    "a text": b"\x81\x02ab",
    "nothing": b"\x89\x00",
    "a long one": b"\x81\x7e" + struct.pack("!H", 300) + b"c" * 300,
    "a longer one": b"\x82\x7f" + struct.pack("!Q", 70_000),
}


class Heard:
    """A parser that keeps what it is given, and whether it was told of the end."""

    def __init__(self) -> None:
        self.data = b""
        self.ended = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return self.data.endswith(NO_FRAME), b""

    def feed_eof(self) -> None:
        self.ended = True


def pieces(data: bytes, cut: int) -> list[bytes]:
    return [data[:cut], data[cut:]] if cut else [data[n : n + 1] for n in range(len(data))]


def near_heads() -> list[int]:
    """Where a cut may do harm; 0 stands for every byte alone."""
    return [*range(len(SHORT + EMPTY + LONG) + 20), *range(len(HONEST) - 12, len(HONEST))]


@pytest.mark.parametrize("cut", near_heads())
def test_masked_frames_pass_however_they_are_cut(cut: int) -> None:
    heard = Heard()
    masked = Masked(heard)
    assert not any(masked.feed_data(piece)[0] for piece in pieces(HONEST, cut))
    assert heard.data == HONEST


@pytest.mark.parametrize("bare", BARE)
@pytest.mark.parametrize("before", [b"", SHORT, EMPTY + LONG])
def test_a_frame_without_a_mask_is_refused_where_it_begins(bare: str, before: bytes) -> None:
    said = before + BARE[bare]
    for cut in range(len(before) + 3):
        heard = Heard()
        masked = Masked(heard)
        over = [masked.feed_data(piece)[0] for piece in pieces(said, cut)]
        assert any(over)
        assert heard.data.partition(NO_FRAME)[0] == before


def test_what_only_looks_like_a_head_is_none() -> None:
    heard = Heard()
    said = b"\x81\x8a" + MASK + b"\x81\x02" * 5 + EMPTY
    assert not Masked(heard).feed_data(said)[0]
    assert heard.data == said


def test_the_end_is_passed_on() -> None:
    heard = Heard()
    Masked(heard).feed_eof()
    assert heard.ended
