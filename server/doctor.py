"""What is usable on this machine, and what to install or mend otherwise."""

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from msgspec import Struct

from agent.errors import ConfigProblem
from agent.models.whose_key import Host
from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.port import SandboxLimits
from server.app import configured
from server.identity.tokens import Tokens
from server.settings import ServeSettings
from server.store.errors import StoreProblem
from server.store.lock import check_free
from server.store.sqlite import DATABASE, SqliteStore
from server.weaknesses import of_files, of_settings

State = Literal["ok", "warning", "error"]
LEAST_FREE_MIB = 1024
LONGEST_DAYS = 365
"""Of a token: longer is forgotten before it ends."""
MOST_OPERATORS = 5


class Finding(Struct, frozen=True):
    """One thing looked at; a warning costs a feature, an error keeps the server from starting."""

    what: str
    state: State
    says: str


def python(found: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    name = ".".join(map(str, found))
    if (3, 11) <= found < (3, 15):
        return Finding("Python", "ok", name)
    return Finding("Python", "error", f"{name}: install Python 3.11 to 3.14")


def sqlite() -> Finding:
    """Whether the library that this Python was built with has what the store needs."""
    missing = []
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder, "probe.db"))
        try:
            for feature, statement in (
                ("WAL", "PRAGMA journal_mode = WAL"),
                ("JSON", "SELECT json_extract('{\"a\": 1}', '$.a')"),
                ("FTS5", "CREATE VIRTUAL TABLE words USING fts5 (text)"),
                ("RETURNING", "CREATE TABLE t (a); INSERT INTO t VALUES (1) RETURNING a"),
            ):
                if not _works(connection, statement):
                    missing.append(feature)
        finally:
            connection.close()
    if not missing:
        return Finding("SQLite", "ok", sqlite3.sqlite_version)
    return Finding(
        "SQLite",
        "error",
        f"{sqlite3.sqlite_version} has no {', '.join(missing)}: install a Python whose SQLite has",
    )


def data_folder(folder: Path) -> Finding:
    """Whether a server could write there; it makes the folder, as the server would."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free >> 20
    except OSError as error:
        says = f"{folder}: {error.strerror}; choose another with --data-dir"
        return Finding("Data folder", "error", says)
    if free < LEAST_FREE_MIB:
        return Finding("Data folder", "warning", f"{folder}: {free} MiB are free; make some room")
    return Finding("Data folder", "ok", f"{folder} ({free // 1024} GiB free)")


async def store(folder: Path) -> Finding:
    """Whether what is stored there can be opened; where nothing is yet, nothing is made."""
    database = folder / DATABASE
    try:
        if not database.exists():
            return Finding("Store", "ok", "there is none yet: the server begins one")
        opened = SqliteStore.open(folder, exclusive=False)
    except (StoreProblem, OSError) as problem:
        return Finding("Store", "error", str(problem))
    await opened.close()
    return Finding("Store", "ok", str(database))


def other_server(folder: Path) -> tuple[Finding, ...]:
    """One finding when a server runs on that folder already."""
    try:
        check_free(folder)
    except StoreProblem as problem:
        return (Finding("Server", "warning", problem.message),)
    return ()


async def sandbox(probe: Callable[[], Awaitable[str | None]]) -> Finding:
    why_not = await probe()
    if why_not is None:
        return Finding("Sandbox", "ok", "commands of the agent run in bubblewrap")
    return Finding("Sandbox", "warning", f"the agent runs no commands: {why_not}")


def models(settings: ServeSettings) -> tuple[Finding, ...]:
    """One finding a model that is offered, or the setting that keeps all of them from it.

    Where people log in or bring tokens, this is what those can use who keep no key of their own.
    """
    try:
        config, catalogue = configured(settings)
    except ConfigProblem as problem:
        return (Finding("Settings", "error", problem.message),)
    known = settings.auth == "auto" and config.oauth is not None
    shared = known or settings.auth in ("token", "oauth")
    usable = catalogue.of(Host({})) if shared else catalogue.host
    return tuple(
        Finding("Model", "ok", f"{offer.id}{' (the default)' * (offer.id == usable.default)}")
        if offer.available
        else Finding("Model", "warning", f"{offer.id}: {offer.why_not}")
        for offer in usable.offers()
    )


def weaknesses(settings: ServeSettings) -> tuple[Finding, ...]:
    """What is weak about how it is set up; what is dangerous and not accepted is an error."""
    try:
        config, _ = configured(settings)
    except ConfigProblem:
        return ()  # which `models` tells
    found = (*of_settings(settings, config), *of_files(settings.data_dir))
    return tuple(
        Finding(
            "Security",
            "error" if weak.risk and weak.risk not in config.accept_risks else "warning",
            f"{weak.setting}: {weak.says}" + f" ({weak.risk})" * bool(weak.risk),
        )
        for weak in found
    ) or (Finding("Security", "ok", "no setting is known to be weak"),)


async def tokens(folder: Path) -> tuple[Finding, ...]:
    """How many there are, and which last too long; none where nothing can be read."""
    try:
        if not (folder / DATABASE).exists():
            return ()
        opened = SqliteStore.open(folder, exclusive=False)
    except (StoreProblem, OSError):
        return ()  # which `store` tells
    try:
        known = Tokens(opened)
        valid = [token for token in await known.listed() if not known.expired(token)]
        long = [token.id for token in valid if known.lasts_beyond(token, LONGEST_DAYS)]
    finally:
        await opened.close()
    operators = sum(token.role == "operator" for token in valid)
    told = f"{len(valid)} are valid, {operators} of them of operators"
    many = operators > MOST_OPERATORS
    state: State = "warning" if many else "ok"
    says = f"{told}; {MOST_OPERATORS} should be enough" if many else told
    endless = f"last longer than {LONGEST_DAYS} days, or for ever: {', '.join(long)}"
    return (
        Finding("Tokens", state, says),
        *((Finding("Tokens", "warning", endless),) if long else ()),
    )


def report(findings: list[Finding]) -> int:
    """Print the findings; 0 when a server would start, 1 when not."""
    for finding in findings:
        print(f"{finding.state:<8} {finding.what:<12} {finding.says}")
    return int(any(finding.state == "error" for finding in findings))


async def examine(settings: ServeSettings) -> int:
    with ThreadPoolExecutor(1, thread_name_prefix="sandbox-probe") as executor:
        found = [
            python(),
            sqlite(),
            data_folder(settings.data_dir),
            await store(settings.data_dir),
            *other_server(settings.data_dir),
            await sandbox(Bubblewrap(SandboxLimits(), executor).probe),
            *models(settings),
            *weaknesses(settings),
            *await tokens(settings.data_dir),
        ]
    return report(found)


def _works(connection: sqlite3.Connection, statements: str) -> bool:
    try:
        connection.executescript(statements)
    except sqlite3.Error:
        return False
    return True
