"""Today's Mooring, whose steps of the schema take a while, so that a kill finds one of them."""

import sys
from pathlib import Path
from typing import Any

from server import app, cli
from server.store import schema
from server.store.sqlite import SqliteStore

PAUSE = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
    " SELECT count(*) FROM n"
)


def slowed(step: schema.Step) -> schema.Step:
    """The same, with a pause before each statement and behind the last one."""
    return (*(part for statement in step for part in (PAUSE, statement)), PAUSE)


class Slower(SqliteStore):
    @classmethod
    def open(cls, directory: Path, **how: Any) -> SqliteStore:
        return super().open(directory, **{"steps": tuple(map(slowed, schema.STEPS)), **how})


if __name__ == "__main__":
    setattr(app, "SqliteStore", Slower)  # noqa: B010 - a program of its own, not a patch of a test
    sys.exit(cli.main(sys.argv[2:]))
