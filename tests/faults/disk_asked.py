"""A store with some of everything in it, and all that can be asked of it."""

import logging
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from cryptography.fernet import Fernet

from agent.errors import Problem
from server import audit_report
from server.identity.vault import Vault
from server.store.audit import AuditRow
from server.store.identities import LoginRow, SecretRow
from server.store.port import Token
from server.store.shares import Share
from server.store.sqlite import DATABASE, SqliteStore
from server.store.tool_logins import ToolLoginRow
from tests.server.store.samples import at, commit, piece, receipt, session

SESSIONS = 6
COMMITS = 12
OWNERS = ("owner-0", "owner-1")
USERS = ("ada", "bob", "cyd")
WORD = "haystack"
VAULT = Vault(Path("nowhere"), [Fernet.generate_key()])
REFUSALS = {
    "store_corrupt",
    "log_damaged",
    "store_failed",
    "store_io_error",
    "no_such_session",
    "unsealable",
}
T = TypeVar("T")
Known = dict[str, Any]
"""Everything that can be asked of a store, by question."""


def names() -> Iterator[str]:
    return (f"s{number}" for number in range(SESSIONS))


async def fill(store: SqliteStore, *, lately: bool = True) -> None:
    """`lately`: also what the first schema had no place for."""
    for number, name in enumerate(names()):
        await store.create(session(name, owner=OWNERS[number % 2]))
        for first in range(2, 2 + 3 * COMMITS, 3):
            bodies = tuple(b'{"seq":%d,"x":"%s"}' % (first + n, b"y" * 120) for n in range(3))
            receipts = (receipt(f"r{first}", first),)
            words = (f"{WORD} of {name}, number {first}",)
            await store.append(
                commit(name, first, 3, bodies=bodies, receipts=receipts, words=words)
            )
        await store.draft([piece(f"i{number}", 0, "Half a ", name=name)])
        await store.draft([piece(f"i{number}", 7, "sentence", name=name)])
    for number, user in enumerate(USERS):
        await store.add_token(Token(f"t{number}", user, "operator", b"hash" * 8, at(0), None))
    if lately:
        await _fill_shares(store)
        await _fill_identities(store)


async def append_more(store: SqliteStore) -> None:
    """One commit more for each session."""
    first = 2 + 3 * COMMITS
    for name in names():
        await store.append(commit(name, first, 2, receipts=(receipt(f"r{first}", first),)))


async def _fill_shares(store: SqliteStore) -> None:
    for number, name in enumerate(names()):
        share = Share(f"n{number}", name, "viewer", OWNERS[number % 2], at(1), user="bob")
        await store.shares.add(share)
        await store.audit.add(AuditRow(at(number), "ada", "shared", session=name))


async def _fill_identities(store: SqliteStore) -> None:
    for number, user in enumerate(USERS):
        sealed = VAULT.seal(user, "tokens")
        login = LoginRow(f"l{number}", user, user, "user", "s", "p", at(0), at(9), None, sealed)
        await store.identities.add_login(login, most=9)
        kept = SecretRow(user, "HF_TOKEN", VAULT.seal(f"{user}/HF_TOKEN", f"of {user}"), at(0))
        await store.identities.set_secret(kept, most=9)
        granted = ToolLoginRow(user, "git", "g", VAULT.seal(f"{user}/git", f"of {user}"), at(0))
        await store.tool_logins.set(granted)


async def everything(store: SqliteStore) -> Known:
    """Each answer, or the code of the refusal."""
    known: Known = {
        "tokens": await asked(store.tokens()),
        "logins": await asked(store.identities.logins()),
        "secrets": await asked(_secrets(store)),
        "tool logins": await asked(_tool_logins(store)),
        "granted to bob": await asked(_granted(store)),
        "audit": await asked(_audit(store)),
        "search": await asked(store.rows(None, limit=99, cursor=None, q=WORD, state="")),
    }
    for owner in OWNERS:
        known[f"list of {owner}"] = await asked(
            store.rows(owner, limit=100, cursor=None, q="", state="")
        )
    for name in names():
        known[f"row {name}"] = await asked(store.row(name))
        known[f"receipts {name}"] = await asked(store.receipts(name))
        known[f"drafts {name}"] = await asked(store.drafts(name))
        known[f"shares {name}"] = await asked(_shares(store, name))
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


async def _secrets(store: SqliteStore) -> tuple[tuple[str, str, str], ...]:
    """As whoever acts for a user opens them: what is damaged does not open."""
    rows = await store.identities.secrets()
    return tuple((r.owner, r.name, VAULT.open(f"{r.owner}/{r.name}", r.sealed)) for r in rows)


async def _tool_logins(store: SqliteStore) -> tuple[tuple[str, str, str], ...]:
    rows = await store.tool_logins.all()
    return tuple((r.owner, r.server, VAULT.open(f"{r.owner}/{r.server}", r.sealed)) for r in rows)


async def _shares(store: SqliteStore, name: str) -> tuple[object, ...]:
    """Each, and each of those who have it."""
    there = await store.shares.of_session(name)
    return tuple(
        part for it in there for part in (it.share, *((it.share.id, g) for g in it.grants))
    )


async def _granted(store: SqliteStore) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((await store.shares.granted("bob")).items()))


async def _audit(store: SqliteStore) -> tuple[str, ...]:
    """As `mooring audit` checks it. Raises Problem where a seal does not hold."""
    lines = []
    for line, entry, sound in audit_report.lines(store.directory / DATABASE, jsonl=True):
        if not sound:
            raise Problem("store_corrupt", f"Act {entry.number} is not as it was written.")
        lines.append(line)
    return tuple(lines)


class _Told(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def told_in_the_log() -> Iterator[list[str]]:
    """What the store says there, while inside."""
    handler, log = _Told(), logging.getLogger("server.store")
    log.addHandler(handler)
    try:
        yield handler.lines
    finally:
        log.removeHandler(handler)
