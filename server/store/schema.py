"""The tables, and the numbered steps that bring an older database to them."""

import sqlite3
from collections.abc import Sequence

from server.store.errors import StoreProblem

APPLICATION_ID = 0x4D4F4F52
"""The letters MOOR, by which a database is known to be a store of this house."""

Step = tuple[str, ...]
"""Statements that are one transaction. A step that was released is never changed, only followed."""

_LOG: Step = (
    """CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID""",
    """CREATE TABLE sessions (
        key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
        created_at TEXT NOT NULL, active_at TEXT NOT NULL, head INTEGER NOT NULL,
        title TEXT NOT NULL, model TEXT NOT NULL, state TEXT NOT NULL, turn TEXT,
        queue INTEGER NOT NULL, held INTEGER NOT NULL, pending_approvals INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_usd REAL,
        context_used INTEGER NOT NULL, context_limit INTEGER NOT NULL)""",
    """CREATE INDEX sessions_by_activity ON sessions (active_at, id)""",
    """CREATE INDEX sessions_by_owner ON sessions (owner, active_at, id)""",
    """CREATE TABLE events (
        session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (session, seq)) WITHOUT ROWID""",
    """CREATE TABLE receipts (
        session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        id TEXT NOT NULL, fingerprint BLOB NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (session, id)) WITHOUT ROWID""",
    """CREATE TABLE drafts (
        session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        item TEXT NOT NULL, kind TEXT NOT NULL, start INTEGER NOT NULL, turn TEXT NOT NULL,
        text TEXT NOT NULL, PRIMARY KEY (session, item, kind, start)) WITHOUT ROWID""",
    """CREATE TABLE idempotency (
        owner TEXT NOT NULL, key TEXT NOT NULL,
        session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        PRIMARY KEY (owner, key)) WITHOUT ROWID""",
    """CREATE INDEX idempotency_by_session ON idempotency (session)""",
    """CREATE TABLE tokens (
        id TEXT PRIMARY KEY, user TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL,
        created_at TEXT NOT NULL, expires_at TEXT) WITHOUT ROWID""",
)

_SEARCH: Step = (
    """CREATE TABLE passages (
        id INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        seq INTEGER NOT NULL, text TEXT NOT NULL)""",
    """CREATE INDEX passages_by_session ON passages (session, seq)""",
    """CREATE VIRTUAL TABLE words USING fts5 (
        text, content='passages', content_rowid='id', tokenize='{tokenizer}')""",
    """CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
        INSERT INTO words (rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER passage_gone AFTER DELETE ON passages BEGIN
        INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text); END""",
)

_SUMS: Step = (
    """ALTER TABLE sessions ADD COLUMN origin_crc INTEGER""",
    """ALTER TABLE sessions ADD COLUMN crc INTEGER""",
    """ALTER TABLE events ADD COLUMN crc INTEGER""",
    """ALTER TABLE receipts ADD COLUMN crc INTEGER""",
    """ALTER TABLE drafts ADD COLUMN crc INTEGER""",
    """ALTER TABLE tokens ADD COLUMN crc INTEGER""",
)
"""What is from before has none, and is not checked."""

_COUNTS: Step = ("""ALTER TABLE sessions ADD COLUMN receipts INTEGER""",)
"""How many it has: one that is missing would let a submission act twice."""

_QUOTA: Step = (
    """CREATE INDEX sessions_in_use ON sessions (owner, state) WHERE state <> 'ended'""",
)
"""How many sessions an owner has is asked with each that is made."""

_JOBS: Step = ("""ALTER TABLE sessions ADD COLUMN jobs INTEGER""",)
"""Rows from before have none, and their checksum knows nothing of it."""

_AUDIT: Step = (
    """CREATE TABLE audit (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
        address TEXT, session TEXT, detail TEXT NOT NULL, seal BLOB NOT NULL)""",
    """CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN
        SELECT raise(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        WHEN old.number > coalesce((SELECT value FROM meta WHERE name = 'audit_floor'), 0) BEGIN
        SELECT raise(ABORT, 'the audit log is append-only'); END""",
)
"""What may go is below the floor, which a row tells of."""

_IDENTITY: Step = (
    """ALTER TABLE tokens ADD COLUMN last_used TEXT""",
    """CREATE TABLE people (
        issuer TEXT NOT NULL, subject TEXT NOT NULL, user TEXT NOT NULL, crc INTEGER,
        PRIMARY KEY (issuer, subject), UNIQUE (issuer, user)) WITHOUT ROWID""",
    """CREATE TABLE logins (
        id TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
        subject TEXT NOT NULL, policy TEXT NOT NULL, created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL, refresh_at TEXT, sealed BLOB NOT NULL, used_at TEXT,
        crc INTEGER) WITHOUT ROWID""",
    """CREATE INDEX logins_by_user ON logins (user, created_at)""",
    """CREATE INDEX logins_due ON logins (refresh_at) WHERE refresh_at IS NOT NULL""",
    """CREATE TABLE secrets (
        owner TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL, changed_at TEXT NOT NULL,
        PRIMARY KEY (owner, name)) WITHOUT ROWID""",
)
"""Who logs in at a provider, and what users keep secret; both are sealed with the vault's key."""

_ENDS: Step = (
    """ALTER TABLE sessions ADD COLUMN last_status TEXT""",
    """ALTER TABLE sessions ADD COLUMN last_reason TEXT""",
)
"""Rows from before have none, as with jobs; the next append says how their last turn ended."""
_SHARES: Step = (
    """CREATE TABLE shares (
        id TEXT PRIMARY KEY, session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
        role TEXT NOT NULL, by TEXT NOT NULL, created_at TEXT NOT NULL, user TEXT, hash BLOB,
        expires_at TEXT, crc INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE INDEX shares_by_session ON shares (session)""",
    """CREATE TABLE grants (
        user TEXT NOT NULL, session INTEGER NOT NULL,
        share TEXT NOT NULL REFERENCES shares ON DELETE CASCADE,
        at TEXT NOT NULL, crc INTEGER NOT NULL,
        PRIMARY KEY (user, session, share)) WITHOUT ROWID""",
    """CREATE INDEX grants_by_share ON grants (share)""",
)

_TOOL_LOGINS: Step = (
    """CREATE TABLE tool_logins (
        owner TEXT NOT NULL, server TEXT NOT NULL, id TEXT NOT NULL, sealed BLOB NOT NULL,
        changed_at TEXT NOT NULL, PRIMARY KEY (owner, server)) WITHOUT ROWID""",
)
"""What users were granted at servers of tools, sealed with the vault's key."""

_SEARCH_BEHIND: Step = (
    """CREATE TABLE unsearched (passage INTEGER PRIMARY KEY)""",
    """DROP TRIGGER passage_added""",
    """CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
        INSERT INTO unsearched VALUES (new.id); END""",
    """DROP TRIGGER passage_gone""",
    """CREATE TRIGGER passage_gone AFTER DELETE ON passages BEGIN
        INSERT INTO words (words, rowid, text) SELECT 'delete', old.id, old.text
            WHERE NOT EXISTS (SELECT 1 FROM unsearched WHERE passage = old.id);
        DELETE FROM unsearched WHERE passage = old.id; END""",
)
"""Passages that the index does not know yet: to take them in takes longer than all else of a
commit, and who waits for the commit need not wait for that."""

STEPS: tuple[Step, ...] = (
    (*_LOG, *_SEARCH),
    _SUMS,
    _COUNTS,
    _QUOTA,
    _JOBS,
    _AUDIT,
    _IDENTITY,
    _ENDS,
    _SHARES,
    _TOOL_LOGINS,
    _SEARCH_BEHIND,
)
"""Step n brings a database of version n to version n + 1; version 0 is an empty file."""


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_kind(connection: sqlite3.Connection, where: object) -> None:
    """Raise StoreProblem unless the file is empty or a store that this code can read."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    if tables and kind != APPLICATION_ID:
        raise StoreProblem(
            "store_corrupt",
            f"{where} is a database of another program. Choose another --data-dir.",
        )
    if version(connection) and not tables:
        raise StoreProblem(
            "store_corrupt",
            f"{where} has lost its tables. Restore a backup, or move the data folder away to begin"
            " anew.",
        )


def migrate(connection: sqlite3.Connection, where: object, steps: Sequence[Step] = STEPS) -> None:
    """Apply the steps that are missing, each a transaction; refuse a database from the future."""
    while (found := version(connection)) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection) == found:
                _apply(connection, steps[found], found + 1)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    if found > len(steps):
        raise StoreProblem(
            "store_too_new",
            f"{where} has schema version {found}; this Mooring knows {len(steps)}. Install the"
            " newer Mooring that wrote it, or restore a backup from before the upgrade.",
        )


def _apply(connection: sqlite3.Connection, step: Step, reached: int) -> None:
    tokenizer = _tokenizer(connection)
    for statement in step:
        connection.execute(statement.replace("{tokenizer}", tokenizer))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {reached}")


def _tokenizer(connection: sqlite3.Connection) -> str:
    """Trigrams find any part of a word; a SQLite before 3.34 finds beginnings of words only."""
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.probe USING fts5 (x, tokenize='trigram')")
    except sqlite3.OperationalError:
        return "unicode61"
    connection.execute("DROP TABLE temp.probe")
    return "trigram"
