"""Messages that clients deflate, inflated before the parser: nothing is kept for the next one.

aiohttp's reader keeps an inflater for a connection from its first deflated message on, which weighs
more than all else that an idle viewer holds.
"""

import struct
import sys
import zlib

from server.masks import NO_FRAME, Parser

_FIN, _RSV1, _RSV, _OPCODE, _CONTROL = 0x80, 0x40, 0x70, 0x0F, 0x08
_MASKED = 0x80
_NO_MASK = bytes(4)
_TAIL = b"\x00\x00\xff\xff"
"""What a sender leaves away at the end of a message."""
_MOST_STREAMS = 16
"""In one message: a sender may end a stream and begin another, and has no reason to."""


class _Message:
    """A deflated one under way. Bytes are added as they come, each once, however they are cut."""

    __slots__ = ("_frame", "_mask", "_plain", "first", "left", "whole")

    def __init__(self, first: int) -> None:
        self.first = first
        """The first byte of its first frame."""
        self.whole = False
        """Whether the frame under way is its last."""
        self.left = 0
        """Bytes of that frame that are still to come."""
        self._mask = b""
        self._frame = bytearray()
        self._plain = bytearray()

    @property
    def size(self) -> int:
        return len(self._plain)

    def begin(self, first: int, mask: bytes, length: int) -> None:
        self.whole, self._mask, self.left = bool(first & _FIN), mask, length

    def add(self, data: bytes) -> None:
        self._frame += data
        self.left -= len(data)
        if not self.left:
            self._plain += _unmasked(self._frame, self._mask)
            self._frame.clear()

    def inflated(self, most: int) -> bytes:
        """What passes instead of it."""
        text = _inflated(bytes(self._plain), most)
        if text is None:
            return NO_FRAME
        return _too_large(most) if len(text) > most else _frame(self.first & _OPCODE, text)


class Inflating:
    """Stands before a parser that knows no compression, where both sides agreed to it.

    Frames pass as they came. A deflated message is held until it is whole and passes as one frame
    that is not; what is none is replaced by what the parser refuses by itself.
    """

    __slots__ = ("_held", "_message", "_most", "_parser", "_to_pass")

    def __init__(self, parser: Parser, most: int) -> None:
        """`most` bytes has a message, deflated or not."""
        self._parser = parser
        self._most = most
        self._held = b""
        """The beginning of a head."""
        self._to_pass = 0
        """Bytes before the next head."""
        self._message: _Message | None = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if self._held:
            data, self._held = self._held + data, b""
        out: list[bytes] = []
        passed = at = 0
        size = len(data)
        while at < size:
            message = self._message
            if self._to_pass:
                ahead = min(self._to_pass, size - at)
                self._to_pass -= ahead
                at += ahead
            elif message is not None and message.left:
                ahead = min(message.left, size - at)
                message.add(data[at : at + ahead])
                passed = at = at + ahead
                out.append(self._ended())
            elif (head := _head(data, at)) is None:
                out.append(data[passed:at])
                self._held = data[at:]
                passed = size
                break
            elif _is_deflated(message, first := data[at]):
                out.append(data[passed:at])
                passed = at = head[1]
                out.append(self._begun(first, *head))
            else:
                at, self._to_pass = head[1], head[2]
        if not out:
            return self._parser.feed_data(data)
        return self._parser.feed_data(b"".join((*out, data[passed:])))

    def feed_eof(self) -> None:
        self._parser.feed_eof()

    def _begun(self, first: int, mask: bytes, begins: int, length: int) -> bytes:
        """What passes for the head of a frame that does not."""
        message = self._message
        wanted = _RSV1 if message is None else 0
        if first & _RSV != wanted or (message is not None and first & _OPCODE):
            return self._given_up(NO_FRAME)
        if message is None:
            message = self._message = _Message(first)
        if message.size + length > self._most:
            return self._given_up(_too_large(self._most))
        message.begin(first, mask, length)
        if length:
            return b""
        message.add(b"")
        return self._ended()

    def _ended(self) -> bytes:
        """What passes when the frame under way may be over, and its message with it."""
        message = self._message
        if message is None or message.left or not message.whole:
            return b""
        self._message = None
        return message.inflated(self._most)

    def _given_up(self, last: bytes) -> bytes:
        """The parser refuses it; what follows is passed to it, and it takes nothing more."""
        self._message, self._to_pass = None, sys.maxsize
        return last


def _is_deflated(message: _Message | None, first: int) -> bool:
    """Whether a frame is taken out; also one that is wrong within a deflated message, which the
    parser would not know."""
    if first & _CONTROL:
        return False
    return message is not None or bool(first & _RSV1 and first & _OPCODE)


def _head(data: bytes, at: int) -> tuple[bytes, int, int] | None:
    """The mask of a frame, where its payload begins and how long it is; None before that is
    known."""
    if at + 2 > len(data):
        return None
    length = data[at + 1] & ~_MASKED
    more = {126: 2, 127: 8}.get(length, 0)
    begins = at + 2 + more + (4 if data[at + 1] & _MASKED else 0)
    if begins > len(data):
        return None
    if more:
        length = int.from_bytes(data[at + 2 : at + 2 + more], "big")
    return data[at + 2 + more : begins], begins, length


def _unmasked(payload: bytes | bytearray, mask: bytes) -> bytes:
    if not any(mask):
        return bytes(payload)
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    plain = int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")
    return plain.to_bytes(size, "little")


def _inflated(deflated: bytes, most: int) -> bytes | None:
    """At most one byte more than `most`; None where it cannot be inflated."""
    rest, text = deflated + _TAIL, b""
    for _ in range(_MOST_STREAMS):
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            text += inflater.decompress(rest, most + 1 - len(text))
        except zlib.error:
            return None
        rest = inflater.unused_data
        if not inflater.eof or not rest or len(text) > most:
            return text
    return None


def _frame(opcode: int, payload: bytes) -> bytes:
    """Whole, and masked with zeros, as a client's has to be."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FIN | opcode, _MASKED | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FIN | opcode, _MASKED | 126, size)
    else:
        head = struct.pack("!BBQ", _FIN | opcode, _MASKED | 127, size)
    return head + _NO_MASK + payload


def _too_large(most: int) -> bytes:
    """The head of a text that the parser takes for too large."""
    return struct.pack("!BBQ", _FIN | 1, _MASKED | 127, most + 1) + _NO_MASK
