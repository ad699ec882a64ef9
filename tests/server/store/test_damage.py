"""What the disk changed behind our back is noticed when it is read."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from server.errors import LogDamaged
from server.store import rows, schema, sums
from server.store.errors import StoreProblem
from server.store.examiner import examine
from server.store.identities import LoginRow
from server.store.port import Token
from server.store.sqlite import DATABASE, Limits, SqliteStore
from tests.server.store.samples import (
    at,
    body,
    commit,
    fork,
    indexed,
    piece,
    receipt,
    session,
)
from tests.server.store.test_opening import damage, filled, refused

Change = Callable[[str], None]


@pytest.fixture
def change(directory: Path) -> Change:
    """A hand that reaches past the store into the file."""

    def run(statement: str) -> None:
        with closing(sqlite3.connect(directory / DATABASE)) as connection:
            connection.execute(statement)
            connection.commit()

    return run


@pytest.fixture
async def three(store: SqliteStore) -> SqliteStore:
    """With three events, a receipt, a draft and a token."""
    await store.create(session())
    await store.append(commit("s1", 2, 2, receipts=(receipt("r", 2),)))
    await store.draft([piece("i", 0, "Half a "), piece("i", 7, "sentence")])
    await store.add_token(Token("t", "ada", "user", b"hash", at(0), None))
    return store


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE events SET body = x'7b7d' WHERE seq = 2", "Event 2 .* not as it was written"),
        ("UPDATE events SET body = 'text' WHERE seq = 2", "Event 2 .* missing"),
        ("UPDATE events SET crc = 1 WHERE seq = 3", "Event 3"),
        ("DELETE FROM events WHERE seq = 2", "Event 2"),
        ("DELETE FROM events WHERE seq = 3", "Event 3 .* ends with 2"),
        ("DELETE FROM events", "Event 3 .* ends with None"),
        ("UPDATE sessions SET head = 2", "Event 2 .* ends with 3"),
        ("UPDATE sessions SET head = 99", "Event 99 .* ends with 3"),
        ("UPDATE events SET seq = 9 WHERE seq = 2", "ends with 9"),
    ],
)
async def test_an_event_that_is_not_as_it_was_written_is_named(
    statement: str, says: str, three: SqliteStore, change: Change
) -> None:
    change(statement)
    with pytest.raises(LogDamaged, match=says):
        await three.events_after("s1", 0, limit=9, max_bytes=999)
    with pytest.raises(LogDamaged, match=says):
        await three.events_before("s1", 9, limit=9, max_bytes=999)


async def test_two_events_that_changed_places_are_damaged(
    three: SqliteStore, change: Change
) -> None:
    change(
        "UPDATE events SET (body, crc) ="
        " (SELECT body, crc FROM events o WHERE o.seq = 5 - events.seq) WHERE seq IN (2, 3)"
    )
    with pytest.raises(LogDamaged, match="Event 2"):
        await three.events_after("s1", 0, limit=9, max_bytes=999)


@pytest.mark.parametrize("column", ["id", "owner", "title", "state", "active_at"])
async def test_a_session_whose_row_changed_is_not_shown(
    column: str, three: SqliteStore, change: Change
) -> None:
    change(f"UPDATE sessions SET {column} = 's' || {column}")
    with pytest.raises(StoreProblem, match="damaged") as problem:
        await three.rows(None, limit=9, cursor=None, q="", state="")
    assert problem.value.code == "store_corrupt"


@pytest.mark.parametrize("statement", ["UPDATE receipts SET seq = 3", "DELETE FROM receipts"])
async def test_a_receipt_that_changed_or_is_gone_answers_nothing(
    statement: str, three: SqliteStore, change: Change
) -> None:
    change(statement)
    with pytest.raises(StoreProblem, match="damaged"):
        await three.receipts("s1")


async def test_half_a_sentence_that_is_damaged_is_none_and_the_log_says_so(
    three: SqliteStore, change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    change("UPDATE drafts SET text = 'parrot' WHERE start = 7")
    assert await three.drafts("s1") == ()
    assert "half said in session s1" in caplog.text


async def test_what_belongs_to_another_session_is_not_taken_for_its_own(
    three: SqliteStore, change: Change
) -> None:
    await three.create(session("s2"))
    await three.append(commit("s2", 2, 2, receipts=(receipt("other", 2),)))
    change("UPDATE sessions SET key = key + 10")
    change("UPDATE sessions SET key = CASE key WHEN 11 THEN 2 ELSE 1 END")
    with pytest.raises(LogDamaged, match="Event 1"):
        await three.events_after("s2", 0, limit=9, max_bytes=999)
    with pytest.raises(StoreProblem, match="damaged"):
        await three.receipts("s2")


async def test_a_fork_of_a_sound_log_is_sound_and_of_a_damaged_one_damaged(
    three: SqliteStore, change: Change
) -> None:
    await three.fork(fork("sound", "s1", 3))
    page = await three.events_after("sound", 1, limit=9, max_bytes=999)
    assert page.bodies == (body(2), body(3))
    change("UPDATE events SET body = x'7b7d' WHERE session = 1 AND seq = 2")
    await three.fork(fork("damaged", "s1", 3))
    with pytest.raises(LogDamaged, match="Event 2"):
        await three.events_after("damaged", 1, limit=9, max_bytes=999)


async def test_a_token_that_changed_opens_no_door_and_the_log_says_so_once(
    three: SqliteStore, change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    change("UPDATE tokens SET user = 'bob'")
    for _ in range(3):
        assert await three.tokens() == ()
    (told,) = caplog.messages
    assert told.startswith("token 't' in ")
    assert "damaged and left out" in told


async def test_a_log_in_that_changed_opens_no_door_and_the_log_says_so(
    three: SqliteStore, change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    login = LoginRow("l", "ada", "Ada", "user", "s", "p", at(0), at(9), at(5), b"sealed")
    await three.identities.add_login(login, most=9)
    assert await three.identities.logins(["l"]) == (login,)
    change("UPDATE logins SET user = 'bob'")
    assert await three.identities.logins() == await three.identities.due_logins(at(9), 9) == ()
    assert "log-in 'l'" in caplog.text


async def test_what_was_written_before_there_were_checksums_is_read_as_it_is(
    directory: Path,
) -> None:
    old = SqliteStore.open(directory)
    await old.close()
    for path in directory.iterdir():
        path.unlink()
    with closing(sqlite3.connect(directory / DATABASE, isolation_level=None)) as connection:
        schema.migrate(connection, directory, schema.STEPS[:1])
        connection.execute("INSERT INTO meta VALUES ('log_generation', 'g'), ('commits', 0)")
        connection.execute(
            "INSERT INTO sessions VALUES (1, 's1', 'ada', 'c', 'a', 1, 't', 'demo', 'idle', NULL,"
            " 0, 0, 0, 0, 0, 0.0, 0, 0)"
        )
        connection.execute("INSERT INTO events VALUES (1, 1, ?)", (body(1),))
    store = SqliteStore.open(directory)
    await store.append(commit("s1", 2))
    page = await store.events_after("s1", 0, limit=9, max_bytes=999)
    assert page.bodies == (body(1), body(2))
    row = await store.row("s1")
    assert row is not None
    assert (row.owner, row.head) == ("ada", 2)
    await store.close()


@pytest.mark.parametrize(
    "later", [("last_status", "last_reason"), ("jobs", "last_status", "last_reason")]
)
async def test_a_row_from_before_it_had_all_its_columns_is_checked_by_those_it_had(
    three: SqliteStore, change: Change, later: tuple[str, ...]
) -> None:
    stored = rows.changing(at(2), 3, indexed())
    crc = sums.of_values(*stored[: -len(later) - 1])
    change(f"UPDATE sessions SET {', '.join(f'{name} = NULL' for name in later)}, crc = {crc}")
    row = await three.row("s1")
    assert row is not None
    assert (row.head, row.indexed) == (3, indexed())
    change("UPDATE sessions SET queue = 7")
    with pytest.raises(StoreProblem):
        await three.row("s1")


async def test_every_session_is_named(three: SqliteStore) -> None:
    await three.create(session("s2"))
    assert await three.ids() == {"s1", "s2"}


# ---- the whole file ------------------------------------------------------------------------------


async def test_a_database_that_was_emptied_is_not_begun_anew(directory: Path) -> None:
    await filled(directory)
    (directory / DATABASE).write_bytes(b"")
    assert "is empty, and was not" in refused(directory, "store_corrupt")
    assert (directory / DATABASE).read_bytes() == b""
    (directory / DATABASE).unlink()
    anew = SqliteStore.open(directory)
    assert await anew.count(None) == 0
    await anew.close()


async def test_a_log_that_was_cut_short_begins_a_new_generation_and_says_so(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(directory)
    store = SqliteStore.open(directory)
    await store.append(commit("s1", 3))
    journal = (directory / f"{DATABASE}-wal").read_bytes()
    database = (directory / DATABASE).read_bytes()
    mark = (directory / "mooring.mark").read_bytes()
    before = store.log_generation
    await store.close()
    (directory / DATABASE).write_bytes(database)
    (directory / f"{DATABASE}-wal").write_bytes(journal[:5000])
    (directory / "mooring.mark").write_bytes(mark)
    caplog.clear()
    again = SqliteStore.open(directory)
    assert again.log_generation != before
    assert (await again.events_after("s1", 0, limit=9, max_bytes=999)).head == 2
    assert "cut short" in caplog.text
    await again.close()


async def test_a_large_file_is_walked_while_the_server_runs(directory: Path) -> None:
    await filled(directory, 2000)
    sound = SqliteStore.open(directory, limits=Limits(checked_bytes=0))
    assert await sound.examine() == ""
    await sound.close()
    damage(directory)
    store = SqliteStore.open(directory, limits=Limits(checked_bytes=0))
    told = await store.examine()
    assert "damaged" in told
    assert str(directory) not in told
    await store.close()


async def test_a_file_that_was_checked_at_the_start_is_not_walked_again(
    store: SqliteStore,
) -> None:
    assert await store.examine() == ""


async def test_a_walk_that_is_cancelled_stops(directory: Path) -> None:
    await filled(directory, 2000)
    walk = asyncio.create_task(examine(directory / DATABASE))
    await asyncio.sleep(0)
    walk.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walk
