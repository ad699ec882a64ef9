"""Checksums of what is stored: a bit that flipped on the disk is noticed when it is read."""

import zlib
from typing import Any

import msgspec

from server.store.errors import StoreProblem


def of_event(seq: int, body: bytes) -> int:
    """Of the body in its place: an event that stands elsewhere does not match either."""
    return zlib.crc32(body, seq)


def of_values(*values: Any) -> int:
    """Of columns, as they come back from the database."""
    return zlib.crc32(msgspec.msgpack.encode(values))


def match(crc: int | None, *values: Any) -> bool:
    """Whether they are as they were written; what is from before there were checksums has none."""
    return crc is None or crc == of_values(*values)


def check(crc: int | None, *values: Any) -> None:
    """Raise StoreProblem `store_corrupt` unless they match."""
    if not match(crc, *values):
        raise StoreProblem(
            "store_corrupt", "What is stored of a session is damaged. Restore a backup."
        )
