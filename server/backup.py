"""A copy of the database and of every session's files, consistent while the server runs."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from agent.errors import Problem
from agent.sandbox.chain import Chain
from agent.sandbox.erase import erase
from agent.sandbox.mirror import Mirror
from agent.sandbox.owner import sandbox_owner
from agent.sandbox.patience import Stop
from server.store import database as files
from server.store.sqlite import DATABASE

KEYS = "vault.keys"
"""As server/identity/vault.py names it, which needs a library that a backup does not."""
BUSY_SECONDS = 30.0
TRIES = 5
"""A workspace that is undone just then changes its tree: it is copied again."""


class Backup(Struct, frozen=True):
    """`without_files` are sessions whose files changed their place each time they were copied."""

    sessions: int
    without_files: tuple[str, ...]
    keys: Path | None = None
    """The copy of what opens the secrets in it."""


def back_up(data: Path, to: Path, *, with_files: bool = True, with_keys: bool = True) -> Backup:
    """Make `to` a data folder like `data`, but for checkpoints, which only undoing needs.

    Raises Problem, and OSError where the disk has no room. The database is copied first: files may
    be newer than it is, none that it tells of are missing. It gets its name last: a backup that
    was cut short has none.
    """
    source = data / DATABASE
    if not source.exists():
        raise Problem("bad_config", f"{data} holds no store. Name another --data-dir.")
    if to.exists() and any(to.iterdir()):
        raise Problem("bad_config", f"{to} is not empty. Name a folder that is new.")
    to.mkdir(parents=True, exist_ok=True)
    to.chmod(0o700)
    begun = to / f"{DATABASE}{files.UNFINISHED}"
    sessions = _copy_database(source, begun)
    lost = _copy_all_files(data, to, sessions) if with_files else ()
    keys = _copy_keys(data, to) if with_keys else None
    _sync(to)
    begun.rename(to / DATABASE)
    _sync(to)
    return Backup(len(sessions), lost, keys)


def _copy_database(source: Path, target: Path) -> list[str]:
    """In one snapshot, checked before it counts; the sessions in it."""
    files.create(target)
    with (
        files.explaining(source),
        closing(files.for_reading(source, busy_seconds=BUSY_SECONDS)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)
        files.check_pages(writing, source)
        found = writing.execute("SELECT id FROM sessions ORDER BY id").fetchall()
    for left in target.parent.glob(f"{target.name}-*"):
        left.unlink()
    return [row[0] for row in found]


def _copy_keys(data: Path, to: Path) -> Path | None:
    """After the database: what was sealed by then, they open."""
    try:
        content = (data / KEYS).read_bytes()
    except FileNotFoundError:
        return None
    copy = to / KEYS
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return copy


def _copy_all_files(data: Path, to: Path, sessions: list[str]) -> tuple[str, ...]:
    lost = []
    for session in sessions:
        workspace = data / "workspaces" / session
        if workspace.is_dir() and not _copied(workspace, to / "workspaces" / session):
            lost.append(session)
    return tuple(lost)


def _copied(workspace: Path, to: Path) -> bool:
    """The tree that the state names, before and after it was copied."""
    stop, copy = Stop(), to / "trees" / "1"
    copy.parent.mkdir(parents=True)
    for before in _states(workspace):
        chain = msgspec.json.decode(before, type=Chain) if before else Chain()
        erase(copy, stop)
        try:
            Mirror(stop, sandbox_owner()).make(workspace / "trees" / str(chain.tree), copy)
        except FileNotFoundError:
            continue
        if _state(workspace) == before:
            forgotten = (*chain.dropped, *(kept.turn for kept in chain.kept))
            kept = Chain(dropped=forgotten, lost=chain.lost, undone=chain.undone)
            (to / "state.json").write_bytes(msgspec.json.encode(kept))
            return True
    erase(copy, stop)
    return not (workspace / "trees").is_dir()


def _states(workspace: Path) -> Iterator[bytes]:
    for _ in range(TRIES):
        yield _state(workspace)


def _state(workspace: Path) -> bytes:
    try:
        return (workspace / "state.json").read_bytes()
    except FileNotFoundError:
        return b""


def _sync(folder: Path) -> None:
    """All that was written: a backup that is said to be there, is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.sync()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
