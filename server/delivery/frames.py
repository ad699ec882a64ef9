"""WebSocket frames as a server writes them: whole, unmasked, never compressed."""

import struct

_TEXT = 0x81
"""FIN and the opcode for text."""
_SMALL = 126
_MEDIUM = 1 << 16


def text_frame(payload: bytes) -> bytes:
    """One whole text message; `payload` is UTF-8. The length takes 7, 16 or 64 bits."""
    size = len(payload)
    if size < _SMALL:
        return struct.pack("!BB", _TEXT, size) + payload
    if size < _MEDIUM:
        return struct.pack("!BBH", _TEXT, 126, size) + payload
    return struct.pack("!BBQ", _TEXT, 127, size) + payload
