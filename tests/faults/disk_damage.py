"""A database with a flipped bit or a missing end: refused, or what is read is what was written."""

import random
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

from agent.errors import Problem
from server.store.port import Token
from server.store.sqlite import DATABASE, Limits, SqliteStore
from tests.faults.report import Report
from tests.server.store.samples import at, commit, piece, receipt, session

SESSIONS = 6
COMMITS = 12
UNCHECKED = Limits(checked_bytes=0)
"""As if the file were too large to be walked at the start."""
T = TypeVar("T")
Known = dict[str, Any]
"""Everything that can be asked of a store, by question."""


async def written(folder: Path) -> Known:
    """A closed store in `folder`, and what it holds."""
    store = SqliteStore.open(folder)
    for number in range(SESSIONS):
        name = f"s{number}"
        await store.create(session(name, owner=f"owner-{number % 2}"))
        for first in range(2, 2 + 3 * COMMITS, 3):
            bodies = tuple(b'{"seq":%d,"x":"%s"}' % (first + n, b"y" * 120) for n in range(3))
            await store.append(
                commit(name, first, 3, bodies=bodies, receipts=(receipt(f"r{first}", first),))
            )
        await store.draft([piece(f"i{number}", 0, "Half a "), piece(f"i{number}", 7, "sentence")])
    await store.add_token(Token("t1", "ada", "operator", b"hash" * 8, at(0), None))
    known = await everything(store)
    await store.close()
    return known


async def everything(store: SqliteStore) -> Known:
    """Each answer, or the code of the refusal."""
    known: Known = {"tokens": await asked(store.tokens())}
    for owner in ("owner-0", "owner-1"):
        known[f"list of {owner}"] = await asked(
            store.rows(owner, limit=100, cursor=None, q="", state="")
        )
    for number in range(SESSIONS):
        name = f"s{number}"
        known[f"row {name}"] = await asked(store.row(name))
        known[f"receipts {name}"] = await asked(store.receipts(name))
        known[f"drafts {name}"] = await asked(store.drafts(name))
        known[f"events {name}"] = await asked(
            store.events_after(name, 0, limit=500, max_bytes=10**9)
        )
        known[f"last events {name}"] = await asked(
            store.events_before(name, 10**6, limit=5, max_bytes=10**9)
        )
    return known


async def asked(question: Awaitable[T]) -> T | str:
    """A refusal is a text, which says what to do."""
    try:
        return await question
    except Problem as problem:
        if problem.code not in REFUSALS:
            raise
        return problem.code


REFUSALS = {"store_corrupt", "log_damaged", "store_failed", "store_io_error", "no_such_session"}


def flip(path: Path, chance: random.Random) -> str:
    content = bytearray(path.read_bytes())
    offset, bit = chance.randrange(len(content)), chance.randrange(8)
    content[offset] ^= 1 << bit
    path.write_bytes(content)
    return f"bit {bit} of byte {offset} of {path.name}"


def cut(path: Path, chance: random.Random) -> str:
    size = path.stat().st_size
    left = chance.randrange(size)
    with path.open("r+b") as file:
        file.truncate(left)
    return f"{left} of {size} bytes of {path.name}"


async def damage(chance: random.Random, report: Report, times: int) -> None:
    with tempfile.TemporaryDirectory(prefix="mooring-disk-") as folder:
        whole = Path(folder, "whole")
        known = await written(whole)
        for number in range(times):
            copy = Path(folder, "copy")
            shutil.copytree(whole, copy)
            truncates = number % 4 == 3
            how = (cut if truncates else flip)(copy / DATABASE, chance)
            report.tried["database files cut short" if truncates else "flipped bits"] += 1
            limits = UNCHECKED if number % 2 else Limits()
            await judge(copy, known, limits, how, report)
            shutil.rmtree(copy)


async def judge(copy: Path, known: Known, limits: Limits, how: str, report: Report) -> None:
    """A damaged index hides a session until walking the file, as a server does, has found it."""
    try:
        store = SqliteStore.open(copy, limits=limits)
    except Problem as problem:
        if problem.code not in REFUSALS:
            raise
        report.checked["damaged files that were refused at the start"] += 1
        return
    found = await everything(store)
    told = await store.examine()
    await store.close()
    for question, answer in found.items():
        if answer == known[question]:
            report.checked["answers of damaged files that were right"] += 1
        elif isinstance(answer, str):
            report.checked["answers of damaged files that were refused"] += 1
        elif less(question, answer):
            report.checked["answers of damaged files that left something out"] += 1
        elif told and (question.startswith("list") or not answer):
            report.checked["damaged indexes that walking the file found"] += 1
        else:
            report.find("silently wrong", f"{how}: {question} is {answer}"[:400])


def less(question: str, answer: object) -> bool:
    """What is left out where it is damaged: half a sentence, a token that then opens no door."""
    return answer == () and question.startswith(("tokens", "drafts"))
