"""The write-ahead log of a killed server with a flipped bit or a missing end.

All is there, or it is what was there a while before, the log has a new generation and a warning
says so, or the store is refused.
"""

import random
import sqlite3
import struct
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct

from agent.errors import Problem
from server.store.port import Draft, EventPage, RowPage, SessionRow
from server.store.sqlite import DATABASE, SqliteStore
from tests.faults.disk_asked import (
    REFUSALS,
    Known,
    append_more,
    everything,
    fill,
    told_in_the_log,
)
from tests.faults.disk_damage import cut, flip, less
from tests.faults.report import Report

WAL = f"{DATABASE}-wal"
Copied = Literal["nothing", "half", "all"]
"""How much of the log had been copied into the database before the power failed."""
WARNS = "is not the one this folder had last"


class Rubble(Struct, frozen=True):
    """The files of a server that was killed, and what it would have answered."""

    database: bytes
    log: bytes
    commits: int
    generation: str
    known: Known

    def lie_in(self, folder: Path) -> None:
        """As they were left: a copy elsewhere would be taken for a backup that was restored."""
        (folder / DATABASE).write_bytes(self.database)
        (folder / WAL).write_bytes(self.log)
        inode = (folder / DATABASE).stat().st_ino
        (folder / "mooring.mark").write_bytes(struct.pack("<QQ", inode, self.commits))
        (folder / f"{DATABASE}-shm").unlink(missing_ok=True)


async def killed(copied: Copied) -> Rubble:
    with tempfile.TemporaryDirectory(prefix="mooring-wal-") as folder:
        place = Path(folder)
        store = SqliteStore.open(place)
        with closing(sqlite3.connect(place / DATABASE, isolation_level=None)) as reader:
            if copied == "nothing":
                _look(reader)
            await fill(store)
            if copied == "half":
                _look(reader)
            await append_more(store)
            if copied != "nothing":
                with closing(sqlite3.connect(place / DATABASE)) as copier:
                    copier.execute("PRAGMA wal_checkpoint").fetchall()
            known = await everything(store)
            _, commits = struct.unpack("<QQ", (place / "mooring.mark").read_bytes())
            database, log = ((place / name).read_bytes() for name in (DATABASE, WAL))
            rubble = Rubble(database, log, commits, store.log_generation, known)
        await store.close()
    return rubble


def _look(reader: sqlite3.Connection) -> None:
    """Nothing that is written behind this can be copied while it looks."""
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM sessions").fetchall()


async def damage_log(chance: random.Random, report: Report, times: int) -> None:
    for copied in get_args(Copied):
        rubble = await killed(copied)
        used = len(rubble.log.rstrip(b"\0"))
        with tempfile.TemporaryDirectory(prefix="mooring-wal-") as folder:
            for number in range(times):
                place = Path(folder)
                rubble.lie_in(place)
                hurt = flip if number % 3 else cut
                how = f"{copied} of the log was copied, {hurt(place / WAL, chance, used)}"
                report.tried["write-ahead logs that were damaged"] += 1
                await _judge(place, rubble, how, report)


async def _judge(place: Path, rubble: Rubble, how: str, report: Report) -> None:
    with told_in_the_log() as lines:
        try:
            store = SqliteStore.open(place)
        except Problem as problem:
            if problem.code not in REFUSALS:
                raise
            report.checked["damaged write-ahead logs that were refused"] += 1
            return
        found, told = await everything(store), await store.examine()
        same = store.log_generation == rubble.generation
        await store.close()
    if not same:
        report.checked["damaged write-ahead logs that lost their end, and said so"] += 1
        if not any(WARNS in line for line in lines):
            report.find("silently wrong", f"{how}: a new generation without a word")
    for question, answer in found.items():
        whole = answer == rubble.known[question] or isinstance(answer, str)
        left = bool(told) and less(answer, rubble.known[question])
        if not (whole or left or (not same and earlier(answer, rubble.known[question]))):
            report.find("silently wrong", f"{how}: {question} is {answer}"[:600])
    report.checked["answers behind a damaged write-ahead log"] += len(found)


def earlier(answer: object, known: object) -> bool:
    """What may have been the answer a while before."""
    match answer, known:
        case EventPage(), EventPage():
            return _is_part(answer, known)
        case SessionRow(), SessionRow():
            return answer.id == known.id and answer.head <= known.head
        case RowPage(), RowPage():
            return all(any(earlier(row, one) for one in known.rows) for row in answer.rows)
        case tuple(), tuple() if any(isinstance(one, Draft) for one in answer):
            return all(any(whole.text.startswith(one.text) for whole in known) for one in answer)
        case _:
            return less(answer, known)


def _is_part(page: EventPage, known: EventPage) -> bool:
    """Of one log: the numbers of samples are in their bodies."""
    bodies = page.bodies
    numbers = range(page.first, page.first + len(bodies))
    sound = all(b'"seq":%d,' % seq in body for seq, body in zip(numbers, bodies, strict=True))
    return sound and page.head <= known.head and (page.head == numbers[-1] or page.more)
