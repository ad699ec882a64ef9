"""A Mooring of tomorrow: today's, whose schema has one step more, which takes a while."""

import sys
from pathlib import Path
from typing import Any

from server import app, cli
from server.store import schema
from server.store.sqlite import SqliteStore

STEP: schema.Step = (
    "CREATE TABLE later (session INTEGER NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL)",
    "INSERT INTO later SELECT session, seq, length(body) FROM events",
    "CREATE TABLE work AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 1000000) SELECT i, randomblob(16) AS noise FROM n",
    "CREATE INDEX work_by_noise ON work (noise)",
    "DROP TABLE work",
)


class Newer(SqliteStore):
    @classmethod
    def open(cls, directory: Path, **how: Any) -> SqliteStore:
        return super().open(directory, **{"steps": (*schema.STEPS, STEP), **how})


if __name__ == "__main__":
    setattr(app, "SqliteStore", Newer)  # noqa: B010 - a program of its own, not a patch of a test
    sys.exit(cli.main(sys.argv[2:]))
