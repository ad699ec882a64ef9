"""WebSocket frames as a server writes them: whole, unmasked, and deflated each on its own."""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

WINDOW_BITS = 12
"""How far back in a message deflated bytes may refer: what a client must be able to keep."""
_TEXT = 0x81
"""FIN and the opcode for text."""
_DEFLATED = 0xC1
"""The same with RSV1, which permessage-deflate sets."""
_SMALL = 126
_MEDIUM = 1 << 16
_LEAST_DEFLATED = 256
"""Bytes of a frame; smaller ones, as one token's, hardly shrink."""
_MOST_DEFLATED = 1 << 18
"""Larger frames would hold up the loop for more than about a millisecond."""
_TAIL = b"\x00\x00\xff\xff"
"""What a flush ends with; the client adds it by itself."""
_deflater = zlib.compressobj(1, zlib.DEFLATED, -WINDOW_BITS)
"""One for all: each message ends with a full flush, behind which nothing refers back."""


class Frame(Struct, eq=False, gc=False):
    """One whole text message; deflated at most once, however many viewers want it so."""

    plain: bytes
    _deflated: bytes | None = None

    @property
    def deflated(self) -> bytes:
        """For those who agreed on permessage-deflate without context: never longer than plain."""
        if self._deflated is None:
            self._deflated = _deflate(self.plain)
        return self._deflated


def framed(payload: bytes) -> Frame:
    """`payload` is UTF-8."""
    return Frame(text_frame(payload))


def joined(frames: Iterable[Frame], *, deflated: bool) -> bytes:
    """For one write."""
    if deflated:
        return b"".join([frame.deflated for frame in frames])
    return b"".join([frame.plain for frame in frames])


def in_writes(frames: Sequence[Frame], budget: int) -> Iterator[Sequence[Frame]]:
    """In order, for writes of about `budget` bytes each: one, with nothing in it, of none."""
    start = size = 0
    for end, frame in enumerate(frames, 1):
        size += len(frame.plain)
        if size >= budget:
            yield frames[start:end]
            start, size = end, 0
    if start < len(frames) or not frames:
        yield frames[start:]


def text_frame(payload: bytes) -> bytes:
    """One whole text message; `payload` is UTF-8. The length takes 7, 16 or 64 bits."""
    return _headed(_TEXT, payload)


def _headed(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < _SMALL:
        return struct.pack("!BB", first, size) + payload
    if size < _MEDIUM:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def _deflate(plain: bytes) -> bytes:
    """The frame with its payload deflated; the frame itself where that gains nothing."""
    if not _LEAST_DEFLATED <= len(plain) <= _MOST_DEFLATED:
        return plain
    header = 4 if plain[1] == 126 else 10
    data = _deflater.compress(memoryview(plain)[header:]) + _deflater.flush(zlib.Z_FULL_FLUSH)
    frame = _headed(_DEFLATED, data.removesuffix(_TAIL))
    return frame if len(frame) < len(plain) else plain
