"""A database with a flipped bit or a missing end: refused, or what is read is what was written."""

import random
import shutil
import tempfile
from pathlib import Path

from agent.errors import Problem
from server.store.sqlite import DATABASE, Limits, SqliteStore
from tests.faults.disk_asked import REFUSALS, Known, everything, fill, told_in_the_log
from tests.faults.report import Report

UNCHECKED = Limits(checked_bytes=0)
"""As if the file were too large to be walked at the start."""

LEFT_OUT = "left out"
"""Says so in the log of the server."""
MANY = 16
"""Bits of one file that flip: most single ones hit what nobody reads any more."""


async def written(folder: Path, *, lately: bool = True) -> Known:
    """A closed store in `folder`, and what it holds."""
    store = SqliteStore.open(folder)
    await fill(store, lately=lately)
    known = await everything(store)
    await store.close()
    return known


def flip(path: Path, chance: random.Random, within: int | None = None) -> str:
    """`within`: one of so many bytes at its beginning."""
    content = bytearray(path.read_bytes())
    offset, bit = chance.randrange(within or len(content)), chance.randrange(8)
    content[offset] ^= 1 << bit
    path.write_bytes(content)
    return f"bit {bit} of byte {offset} of {path.name}"


def cut(path: Path, chance: random.Random, within: int | None = None) -> str:
    size = path.stat().st_size
    left = chance.randrange(within or size)
    with path.open("r+b") as file:
        file.truncate(left)
    return f"{left} of {size} bytes of {path.name}"


async def damage(chance: random.Random, report: Report, times: int) -> None:
    with tempfile.TemporaryDirectory(prefix="mooring-disk-") as folder:
        whole = Path(folder, "whole")
        known = await written(whole)
        for number in range(times):
            copy = Path(folder, f"copy-{number}")
            shutil.copytree(whole, copy)
            truncates = number % 4 == 3
            hits = 1 if truncates else chance.choice((1, MANY))
            hurt = cut if truncates else flip
            how = "; ".join(hurt(copy / DATABASE, chance) for _ in range(hits))
            report.tried["database files cut short" if truncates else "flipped bits"] += hits
            limits = UNCHECKED if number % 2 else Limits()
            await judge(copy, known, limits, how, report)
            shutil.rmtree(copy)


async def judge(copy: Path, known: Known, limits: Limits, how: str, report: Report) -> None:
    """A damaged index hides a session until walking the file, as a server does, has found it."""
    with told_in_the_log() as lines:
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
        elif question == "search" and set(answer.rows) <= _listed(known):
            report.checked["searches in damaged files that missed a session"] += 1
        elif (told or any(LEFT_OUT in line for line in lines)) and less(answer, known[question]):
            report.checked["answers of damaged files that left something out, and said so"] += 1
        else:
            said = f"{answer}, said was {told or lines}"
            report.find("silently wrong", f"{how}: {question} is {said}"[:600])


def less(answer: object, known: object) -> bool:
    """What is left out where it is damaged, or hidden by an index that is: never anything else."""
    if answer is None:
        return True
    if isinstance(answer, tuple) and isinstance(known, tuple):
        return all(one in known for one in answer)
    rows, there = getattr(answer, "rows", None), getattr(known, "rows", ())
    return rows is not None and all(row in there for row in rows)


def _listed(known: Known) -> set[object]:
    return {row for question, page in known.items() if question[:4] == "list" for row in page.rows}
