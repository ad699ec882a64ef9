"""A connection to SQLite that fails or stalls at a statement of the test's choice."""

import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from server.store.search import LAGS

When = Literal["before", "after", "stalls"]


class Fault(Struct, frozen=True):
    """`at`: the number of the statement that fails, from 1. A COMMIT that fails after it was done
    is one whose outcome nobody knows; one that stalls is done when the test says so."""

    at: int
    when: When
    number: int = sqlite3.SQLITE_IOERR_WRITE
    times: int = 1
    """So many statements from there on fail; -1: all."""

    def hits(self, count: int) -> bool:
        return count >= self.at and (self.times < 0 or count < self.at + self.times)


class Trouble:
    """What one connection meets. `begin` counts from there on."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.statements: list[str] = []
        self.met: list[str] = []
        self.goes_on = threading.Event()
        self.aside = False
        """What follows the commits a moment later is under way: it is neither counted nor hit."""

    def begin(self, fault: Fault | None) -> None:
        self.fault = fault
        self.statements.clear()
        self.met.clear()

    def through(self, statement: str, run: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        self.statements.append(statement)
        fault = self.fault
        if fault is None or statement == "ROLLBACK" or not fault.hits(len(self.statements)):
            return run()
        self.met.append(statement)
        if fault.when == "stalls":
            self.goes_on.wait()
            return run()
        if fault.when == "after":
            run()
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = fault.number
        raise error


def troubled(trouble: Trouble) -> type[sqlite3.Connection]:
    """The kind of connection that meets `trouble`."""

    class Troubled(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if sql == LAGS:
                (trouble.aside,) = super().execute(sql).fetchone()
                return super().execute(sql)
            if trouble.aside:
                trouble.aside = sql not in ("COMMIT", "ROLLBACK")
                return super().execute(sql, parameters)
            return trouble.through(sql, lambda: super(Troubled, self).execute(sql, parameters))

        def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
            return trouble.through(sql, lambda: super(Troubled, self).executemany(sql, parameters))

    return Troubled
