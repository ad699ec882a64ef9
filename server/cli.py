"""The command: one function a verb, an exit code, and words that a person can act on."""

import argparse
import asyncio
import errno
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ConfigProblem, Problem
from agent.protocol import MOORING
from server import flags

# What only one verb needs is imported where it is needed: a token is made in a tenth of a second,
# and a server listens without waiting for what it does not use.
if TYPE_CHECKING:
    from server.identity.tokens import Tokens
    from server.store.sqlite import SqliteStore

FAILED = 1
UNUSABLE = 2
"""A flag, a setting or an address that cannot be used: to be mended before the next start."""
STOPPED = 130
ADDRESS_ERRORS = {errno.EADDRINUSE, errno.EADDRNOTAVAIL}


def main(arguments: Sequence[str] | None = None) -> int:
    given = flags.read(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except ConfigProblem as problem:
        return _sorry(problem.message, UNUSABLE)
    except Problem as problem:
        return _sorry(problem.message, FAILED)
    except BrokenPipeError:
        # Whoever read the output has enough; without this, Python complains when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _sorry(_told(error), UNUSABLE)
    except KeyboardInterrupt:
        return STOPPED


def _run(given: argparse.Namespace) -> int:
    if given.version:
        from importlib.metadata import version

        print(f"mooring {version('mooring')}")
        return 0
    match given.command:
        case "serve":
            return _serve(given)
        case "token":
            return asyncio.run(_token(given))
        case "secret":
            return asyncio.run(_secret(given))
        case "keys":
            return asyncio.run(_keys(given))
        case "export":
            return _export(given)
        case "audit":
            return _audit(given)
        case "backup":
            return _backup(given)
        case "doctor":
            return asyncio.run(_doctor(given))
        case _:
            raise ConfigProblem("Say what to do: `mooring --help` lists the commands.")


def _serve(given: argparse.Namespace) -> int:
    settings = flags.settings(given, os.environ)
    from server import app, logs

    logs.configure(settings.log_format, settings.log_level)
    return app.serve(settings)


async def _token(given: argparse.Namespace) -> int:
    from agent.redaction import Redactor
    from server.audit import Audit
    from server.identity.tokens import Tokens
    from server.times import timestamp

    async with _store(given) as store:
        tokens, audit = Tokens(store), Audit(store.audit, timestamp, Redactor())
        if given.verb == "create":
            token = await tokens.create(given.user, given.role, given.days)
            named = token.split("_")[1]
            audit.record("token_created", MOORING, token=named, user=given.user, role=given.role)
            print(token)
        elif given.verb == "list":
            await _list(tokens)
        elif await tokens.revoke(given.id):
            audit.record("token_revoked", MOORING, token=given.id)
        else:
            return _sorry(f"There is no token {given.id}; see `mooring token list`.", FAILED)
    return 0


async def _list(tokens: "Tokens") -> None:
    for token in await tokens.listed():
        until = "expired" if tokens.expired(token) else "until"
        used = token.last_used or "never"
        ends = token.expires_at or "revoked"
        print(f"{token.id}  {token.user}  {token.role}  {until} {ends}  used {used}")


async def _secret(given: argparse.Namespace) -> int:
    from server import secret_verbs

    async with _store(given) as store:
        for line in await secret_verbs.secret(given, store):
            print(line)
    return 0


async def _keys(given: argparse.Namespace) -> int:
    from server import secret_verbs

    async with _store(given, exclusive=True) as store:
        for line in await secret_verbs.keys(given, store):
            print(line)
    return 0


def _export(given: argparse.Namespace) -> int:
    """All that can be read, also of a store that no server would open."""
    from server import export
    from server.errors import NoSuchSession
    from server.store import salvage
    from server.store.sqlite import DATABASE

    database = flags.settings(given, os.environ).data_dir / DATABASE
    lost = []
    try:
        for seq, body in salvage.survivors(database, given.session):
            piece = export.piece(seq, body, given.format)
            sys.stdout.buffer.write(piece or b"")
            if piece is None:
                lost.append(str(seq))
    except NoSuchSession:
        return _sorry(f"There is no session {given.session}.", FAILED)
    sys.stdout.buffer.flush()
    if lost:
        named = ", ".join(lost[:10]) + (", ..." if len(lost) > 10 else "")
        return _sorry(f"{len(lost)} events are damaged and left out: {named}.", FAILED)
    return 0


def _audit(given: argparse.Namespace) -> int:
    from server import audit_report
    from server.store.sqlite import DATABASE

    database = flags.settings(given, os.environ).data_dir / DATABASE
    broken = []
    for line, entry, sound in audit_report.lines(database, jsonl=given.jsonl):
        print(line)
        if not sound:
            broken.append(str(entry.number))
    if not broken:
        return 0
    named = ", ".join(broken[:10]) + (", ..." if len(broken) > 10 else "")
    return _sorry(f"Not as it was written, or behind a gap: {named}. Compare a backup.", FAILED)


def _backup(given: argparse.Namespace) -> int:
    from server.backup import back_up

    data = flags.settings(given, os.environ).data_dir
    made = back_up(
        data,
        Path(given.folder).absolute(),
        with_files=not given.without_files,
        with_keys=not given.without_keys,
    )
    for session in made.without_files:
        _sorry(f"The files of {session} changed too fast to be copied: try again.", FAILED)
    print(f"{made.sessions} sessions are in {given.folder}")
    if made.keys is not None:
        print(f"{made.keys} opens the secrets in it: keep the backup private.")
    elif given.without_keys:
        print("What opens the secrets in it is not there: keep vault.keys elsewhere.")
    return FAILED if made.without_files else 0


async def _doctor(given: argparse.Namespace) -> int:
    from server import doctor

    return await doctor.examine(flags.settings(given, os.environ))


@asynccontextmanager
async def _store(
    given: argparse.Namespace, *, exclusive: bool = False
) -> AsyncIterator["SqliteStore"]:
    """The store of the data directory, beside a server that may be running on it."""
    from server.store.sqlite import SqliteStore

    directory: Path = flags.settings(given, os.environ).data_dir
    store = SqliteStore.open(directory, exclusive=exclusive)
    try:
        yield store
    finally:
        await store.close()


def _sorry(message: str, code: int) -> int:
    print(f"mooring: {message}", file=sys.stderr)
    return code


def _told(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    way_out = " Choose another --host or --port." if error.errno in ADDRESS_ERRORS else ""
    return f"{where}{error.strerror or error}.{way_out}"
