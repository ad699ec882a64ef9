"""Checksums of what is stored: a bit that flipped on the disk is noticed when it is read."""

import logging
import sqlite3
import zlib
from functools import lru_cache
from typing import Any

import msgspec

from server.store.errors import StoreProblem

_log = logging.getLogger(__name__)


class Seal:
    """Of the events of one session, each in its place: what belongs elsewhere does not match."""

    def __init__(self, session: str) -> None:
        self._salt = zlib.crc32(session.encode())

    def __call__(self, seq: int, body: bytes) -> int:
        return zlib.crc32(body, self._salt ^ seq)


def moved(source: str, target: str, seq: int, body: bytes, crc: int | None) -> int | None:
    """The checksum of a copy; damage stays damage."""
    if crc is None or crc != Seal(source)(seq, body):
        return crc
    return Seal(target)(seq, body)


def of_values(*values: Any) -> int:
    """Of columns, as they come back from the database."""
    return zlib.crc32(msgspec.msgpack.encode(values))


def match(crc: int | None, *values: Any) -> bool:
    """Whether they are as they were written; what is from before there were checksums has none."""
    return crc is None or crc == of_values(*values)


def check(crc: int | None, *values: Any) -> None:
    """Raise StoreProblem `store_corrupt` unless they match."""
    insist(match(crc, *values))


def insist(sound: bool) -> None:
    """Raise StoreProblem `store_corrupt` where something was found that is not."""
    if not sound:
        raise StoreProblem(
            "store_corrupt", "What is stored of a session is damaged. Restore a backup."
        )


def left_out(connection: sqlite3.Connection, what: str) -> None:
    """Say, once for each database, that something damaged is in no answer: others are."""
    _say(connection.execute("PRAGMA database_list").fetchone()[2], what)


@lru_cache(maxsize=1_000)
def _say(database: str, what: str) -> None:
    _log.error("%s in %s is damaged and left out; a backup may have it", what, database)
