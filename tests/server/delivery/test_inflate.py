"""What clients deflate reaches the parser inflated, however it is cut, and nothing stays."""

import random
import struct
import zlib

import pytest

from server.delivery.inflate import Inflating
from server.masks import NO_FRAME

MOST = 100_000
TAIL = b"\x00\x00\xff\xff"
MASK = b"\x11\x22\x33\x44"
WORDS = b'{"type":"ping","id":"' + b"words and words " * 40 + b'"}'
FIN, RSV1, TEXT, MORE, PING = 0x80, 0x40, 0x1, 0x0, 0x9


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


def frame(first: int, payload: bytes, mask: bytes = MASK) -> bytes:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, 0xFE, size)
    else:
        head = struct.pack("!BBQ", first, 0xFF, size)
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


def shrunk(payload: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def deflated(payload: bytes, first: int = FIN | RSV1 | TEXT) -> bytes:
    return frame(first, shrunk(payload))


def passed(payload: bytes, opcode: int = TEXT) -> bytes:
    return frame(FIN | opcode, payload, bytes(4))


def heard(*pieces: bytes) -> bytes:
    parser = Heard()
    inflating = Inflating(parser, MOST)
    for piece in pieces:
        inflating.feed_data(piece)
    return parser.data


PLAIN = frame(FIN | TEXT, b"as it is") + frame(FIN | PING, b"") + frame(FIN | TEXT, b"x" * 300)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 5_000, 65_535, 65_536])
def test_a_deflated_message_of_any_size_passes_inflated(size: int) -> None:
    words = random.Random(size).randbytes(size).hex()[:size].encode()
    assert heard(deflated(words)) == passed(words)


def test_a_message_and_what_stands_around_it_pass_in_order_however_they_are_cut() -> None:
    said = PLAIN + deflated(WORDS) + PLAIN + deflated(b"short") + frame(FIN | PING, b"p")
    wanted = PLAIN + passed(WORDS) + PLAIN + passed(b"short") + frame(FIN | PING, b"p")
    for cut in range(len(said) + 1):
        assert heard(said[:cut], said[cut:]) == wanted, cut
    assert heard(*(said[n : n + 1] for n in range(len(said)))) == wanted


def test_a_message_in_fragments_passes_whole_and_control_frames_between_them_before_it() -> None:
    small, ping = shrunk(WORDS), frame(FIN | PING, b"p")
    parts = frame(RSV1 | TEXT, small[:9]), ping, frame(MORE, small[9:20]), frame(FIN, small[20:])
    said = b"".join(parts) + PLAIN
    for cut in range(len(said) + 1):
        assert heard(said[:cut], said[cut:]) == ping + passed(WORDS) + PLAIN


def test_fragments_of_what_is_not_deflated_pass_as_they_came() -> None:
    said = frame(TEXT, b"one") + frame(FIN | PING, b"") + frame(FIN | MORE, b"two")
    assert heard(said) == said


def test_each_message_stands_for_itself() -> None:
    deflater = zlib.compressobj(wbits=-15)
    first = deflater.compress(WORDS) + deflater.flush(zlib.Z_SYNC_FLUSH)
    second = deflater.compress(WORDS) + deflater.flush(zlib.Z_SYNC_FLUSH)
    said = frame(0xC1, first.removesuffix(TAIL)) + frame(0xC1, second.removesuffix(TAIL))
    assert heard(said) == passed(WORDS) + NO_FRAME


@pytest.mark.parametrize(
    "wrong",
    [
        frame(FIN | RSV1 | TEXT, b"\xff no deflate"),
        frame(RSV1 | TEXT, b"") + frame(FIN | TEXT, b"a message within"),
        frame(RSV1 | TEXT, b"") + frame(FIN | RSV1 | MORE, b"deflated again"),
        frame(FIN | RSV1 | 0x20 | TEXT, shrunk(b"another bit")),
    ],
)
def test_what_breaks_the_rules_is_replaced_by_what_the_parser_refuses(wrong: bytes) -> None:
    assert heard(PLAIN + wrong).startswith(PLAIN + NO_FRAME)
    assert heard(PLAIN + wrong, PLAIN).endswith(PLAIN), "and takes nothing more then"


@pytest.mark.parametrize("first", [FIN | RSV1 | PING, FIN | RSV1 | MORE, FIN | 0x20 | TEXT])
def test_bits_that_were_not_agreed_on_pass_to_the_parser_which_refuses_them(first: int) -> None:
    assert heard(frame(first, b"p")) == frame(first, b"p")


def test_what_is_too_large_deflated_or_inflated_is_told_to_the_parser_before_it_is_held() -> None:
    too_large = struct.pack("!BBQ", 0x81, 0xFF, MOST + 1) + bytes(4)
    assert heard(deflated(b"x" * (MOST + 1))) == too_large
    assert heard(deflated(b"x" * 100 * MOST)) == too_large
    assert heard(deflated(b"x" * MOST)) == passed(b"x" * MOST)
    assert heard(struct.pack("!BBQ", 0xC1, 0xFF, 1 << 40) + MASK) == too_large
    half = bytes(MOST // 2 + 1)
    assert heard(frame(RSV1 | TEXT, half), frame(MORE, half)).startswith(too_large)


def test_a_stream_that_ends_within_a_message_may_be_followed_by_others_but_not_by_many() -> None:
    def ended(payload: bytes) -> bytes:
        deflater = zlib.compressobj(wbits=-15)
        return deflater.compress(payload) + deflater.flush()

    assert heard(frame(0xC1, ended(b"one") + b"\x00")) == passed(b"one")
    assert heard(frame(0xC1, ended(b"one") + ended(b"two") + b"\x00")) == passed(b"onetwo")
    assert heard(frame(0xC1, ended(b"x") * 100 + b"\x00")) == NO_FRAME


def test_bytes_are_taken_as_frames_also_where_nobody_masked_them() -> None:
    small = shrunk(WORDS)
    assert heard(struct.pack("!BB", 0xC1, len(small)) + small) == passed(WORDS)


def test_the_end_is_passed_on() -> None:
    parser = Heard()
    Inflating(parser, MOST).feed_eof()
    assert parser.ended
