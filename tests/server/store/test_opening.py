"""Opening a data directory: private, checked, migrated, and refused with a way out."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store import schema
from server.store.errors import StoreProblem
from server.store.port import Store
from server.store.sqlite import DATABASE, Limits, SqliteStore
from tests.server.store.samples import body, commit, session

NOBODY = 65534
COLOR = ("ALTER TABLE sessions ADD COLUMN color TEXT NOT NULL DEFAULT 'red'",)
NEXT_STEPS = (*schema.STEPS, COLOR)


def refused(directory: Path, code: str, **options: object) -> str:
    """The message of the refusal, whose code must be `code`."""
    with pytest.raises(StoreProblem) as refusal:
        SqliteStore.open(directory, **options)  # type: ignore[arg-type]
    assert refusal.value.code == code
    return refusal.value.message


async def filled(directory: Path, head: int = 2) -> None:
    """A closed store with session s1 in it."""
    store = SqliteStore.open(directory)
    await store.create(session())
    await store.append(commit("s1", 2, head - 1))
    await store.close()


async def head(store: Store) -> int:
    return (await store.events_after("s1", 0, limit=1, max_bytes=1)).head


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """As a user whom file permissions bind."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every user may enter and none but root may write."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o555)
    yield path
    path.chmod(0o700)
    shutil.rmtree(path)


async def test_a_new_directory_and_all_in_it_is_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "data"
    store = SqliteStore.open(directory)
    await store.create(session())
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    assert (directory / f"{DATABASE}-wal").exists()
    await store.close()
    assert not (directory / f"{DATABASE}-wal").exists()


async def test_a_store_is_there_again_after_closing(directory: Path) -> None:
    await filled(directory)
    store = SqliteStore.open(directory)
    assert await head(store) == 2
    await store.close()


async def test_a_directory_with_odd_characters_is_read_too(tmp_path: Path) -> None:
    directory = tmp_path / "what? 100%#1"
    await filled(directory)
    store = SqliteStore.open(directory)
    assert await head(store) == 2
    await store.close()


# ---- one server ---------------------------------------------------------------------------------


async def test_a_second_server_is_refused_and_told_who_holds_the_directory(
    store: SqliteStore, directory: Path
) -> None:
    message = refused(directory, "data_dir_locked")
    assert f"pid {os.getpid()}" in message
    assert "--data-dir" in message
    await store.create(session())


async def test_the_lock_holds_against_other_processes_and_ends_with_its_holder(
    directory: Path,
) -> None:
    holding = (
        "import sys; from pathlib import Path; from server.store.sqlite import SqliteStore;"
        "s = SqliteStore.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        holding,
        str(directory),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    assert f"pid {process.pid}" in refused(directory, "data_dir_locked")
    process.kill()
    await process.communicate()
    store = SqliteStore.open(directory)
    await store.close()


async def test_a_refused_opening_leaves_the_directory_free(directory: Path) -> None:
    await filled(directory)
    refused(directory, "store_too_new", steps=())
    store = SqliteStore.open(directory)
    await store.close()


async def test_a_command_works_beside_a_server(store: SqliteStore, directory: Path) -> None:
    await store.create(session())
    beside = SqliteStore.open(directory, exclusive=False)
    assert beside.log_generation == store.log_generation
    await store.append(commit("s1", 2))
    assert await head(beside) == 2
    await beside.create(session("s2"))
    await beside.close()
    assert await store.row("s2") is not None
    await store.append(commit("s1", 3))


async def test_a_command_may_be_the_first_to_open_a_directory(directory: Path) -> None:
    command = SqliteStore.open(directory, exclusive=False)
    await command.create(session())
    await command.close()
    store = SqliteStore.open(directory)
    assert await head(store) == 1
    await store.close()


# ---- what cannot be used ------------------------------------------------------------------------


def test_a_directory_that_cannot_be_written_is_refused(public: Path) -> None:
    with unprivileged():
        assert str(public) in refused(public, "data_dir_read_only")


def test_a_directory_that_cannot_be_made_is_refused(public: Path, tmp_path: Path) -> None:
    with unprivileged():
        refused(public / "data", "data_dir_read_only")
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "data_dir_read_only")
    refused(tmp_path / "file" / "data", "data_dir_read_only")


async def test_a_database_that_cannot_be_written_is_refused(public: Path) -> None:
    public.chmod(0o755)
    await filled(public)
    (public / DATABASE).chmod(0o444)
    for other in ("lock", "mooring.mark"):
        (public / other).chmod(0o666)
    public.chmod(0o777)
    with unprivileged():
        assert DATABASE in refused(public, "data_dir_read_only")


def test_a_database_that_is_a_directory_is_refused(directory: Path) -> None:
    (directory / DATABASE).mkdir(parents=True)
    refused(directory, "data_dir_read_only")


def test_a_file_that_is_no_database_is_refused_and_left_alone(directory: Path) -> None:
    directory.mkdir()
    (directory / DATABASE).write_bytes(b"this is no database" * 500)
    assert "not a database" in refused(directory, "store_corrupt")
    assert (directory / DATABASE).read_bytes() == b"this is no database" * 500


def test_a_database_of_another_program_is_refused_and_left_alone(directory: Path) -> None:
    directory.mkdir()
    with contextlib.closing(sqlite3.connect(directory / DATABASE)) as other:
        other.execute("CREATE TABLE sessions (id TEXT)")
    before = (directory / DATABASE).read_bytes()
    assert "another program" in refused(directory, "store_corrupt")
    assert (directory / DATABASE).read_bytes() == before


async def test_a_damaged_database_is_refused(directory: Path) -> None:
    await filled(directory, 2000)
    damage(directory)
    assert "Restore a backup" in refused(directory, "store_corrupt")


async def test_damage_found_later_fails_the_read_and_says_so(directory: Path) -> None:
    await filled(directory, 2000)
    damage(directory)
    store = SqliteStore.open(directory, limits=Limits(checked_bytes=0))
    with pytest.raises(StoreProblem, match="damaged") as failure:
        await store.events_after("s1", 0, limit=5000, max_bytes=10**9)
    assert failure.value.code == "store_corrupt"
    await store.close()


def damage(directory: Path) -> None:
    database = directory / DATABASE
    pages = bytearray(database.read_bytes())
    begin = len(pages) * 3 // 4  # behind the schema, where the events are
    pages[begin:-4096] = b"\xaa" * (len(pages) - begin - 4096)
    database.write_bytes(pages)


def test_a_database_without_its_tables_is_refused(directory: Path) -> None:
    directory.mkdir()
    with contextlib.closing(sqlite3.connect(directory / DATABASE)) as other:
        other.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        other.execute(f"PRAGMA user_version = {len(schema.STEPS)}")
    refused(directory, "store_corrupt")


def test_a_disk_without_room_for_the_tables_is_refused(directory: Path) -> None:
    assert "full" in refused(directory, "disk_full", limits=Limits(max_pages=5))


# ---- migration ----------------------------------------------------------------------------------


async def test_an_older_database_is_brought_up_to_date_with_what_it_holds(
    directory: Path,
) -> None:
    await filled(directory)
    store = SqliteStore.open(directory, steps=NEXT_STEPS)
    page = await store.events_after("s1", 0, limit=9, max_bytes=999)
    assert page.bodies == (body(1), body(2))
    await store.append(commit("s1", 3))
    await store.close()
    with contextlib.closing(sqlite3.connect(directory / DATABASE)) as database:
        assert database.execute("SELECT color FROM sessions").fetchall() == [("red",)]
        assert schema.version(database) == len(NEXT_STEPS)


async def test_a_database_from_the_future_is_refused(directory: Path) -> None:
    store = SqliteStore.open(directory, steps=NEXT_STEPS)
    await store.close()
    message = refused(directory, "store_too_new")
    assert f"version {len(NEXT_STEPS)}" in message
    assert f"knows {len(schema.STEPS)}" in message


async def test_a_step_that_fails_leaves_the_database_as_it_was(directory: Path) -> None:
    await filled(directory)
    refused(directory, "store_failed", steps=(*schema.STEPS, (*COLOR, "no SQL")))
    store = SqliteStore.open(directory, steps=NEXT_STEPS)
    assert await head(store) == 2
    await store.close()


async def test_a_newer_command_does_not_migrate_under_a_running_server(
    store: SqliteStore, directory: Path
) -> None:
    refused(directory, "data_dir_locked", exclusive=False, steps=NEXT_STEPS)
    await store.create(session())


# ---- log generation -----------------------------------------------------------------------------


async def generation(directory: Path) -> str:
    store = SqliteStore.open(directory)
    await store.close()
    return store.log_generation


async def test_the_log_generation_stays_from_start_to_start(directory: Path) -> None:
    await filled(directory)
    first = await generation(directory)
    assert await generation(directory) == first
    assert len(first) >= 16


async def test_a_database_put_back_from_a_backup_has_a_new_generation(directory: Path) -> None:
    await filled(directory)
    first = await generation(directory)
    backup = (directory / DATABASE).read_bytes()
    store = SqliteStore.open(directory)
    await store.append(commit("s1", 3))
    await store.close()
    (directory / DATABASE).write_bytes(backup)
    second = await generation(directory)
    assert second != first
    assert await generation(directory) == second


async def test_a_directory_copied_to_another_place_has_a_new_generation(
    directory: Path, tmp_path: Path
) -> None:
    await filled(directory)
    shutil.copytree(directory, tmp_path / "copy")
    assert await generation(tmp_path / "copy") != await generation(directory)


async def test_a_database_alone_that_had_commits_has_a_new_generation(directory: Path) -> None:
    await filled(directory)
    first = await generation(directory)
    (directory / "mooring.mark").unlink()
    assert await generation(directory) != first


async def test_a_kill_does_not_change_the_generation(directory: Path) -> None:
    printing = (
        "import asyncio, os, sys; from pathlib import Path;"
        "from server.store.sqlite import SqliteStore;"
        "from tests.server.store.samples import session\n"
        "async def main():\n"
        "    store = SqliteStore.open(Path(sys.argv[1]))\n"
        "    await store.create(session())\n"
        "    print(store.log_generation, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", printing, str(directory), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == -9
    assert await generation(directory) == printed.decode().strip()


async def test_a_backup_that_was_cut_short_is_neither_opened_nor_begun(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    (directory / f"{DATABASE}.unfinished").touch()
    assert "cut short" in refused(directory, "store_corrupt")
    assert not (directory / DATABASE).exists()
    await filled(directory / "there")
    (directory / "there" / f"{DATABASE}.unfinished").touch()
    await SqliteStore.open(directory / "there").close()
