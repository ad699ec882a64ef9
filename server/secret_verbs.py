"""The verbs of the command about what is kept secret: `mooring secret`, `mooring keys`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.errors import Problem
from agent.protocol import MOORING
from agent.redaction import Redactor
from server.audit import Audit
from server.identity import rotation
from server.identity.keeper import Keeper
from server.identity.wallet import LONGEST, Wallet
from server.store.sqlite import SqliteStore
from server.times import timestamp


async def secret(given: argparse.Namespace, store: SqliteStore) -> Sequence[str]:
    """What is to be printed. The value comes on stdin: what is on a command line, others see."""
    wallet = Wallet(
        store.identities,
        Keeper(store.directory, store.identities),
        lambda owner, values: None,
        timestamp=timestamp,
    )
    await wallet.read()
    audit = Audit(store.audit, timestamp, Redactor())
    if given.verb == "list":
        return [f"{one.name}  set {one.changed_at}" for one in wallet.listed(given.user)]
    if given.verb == "set":
        await wallet.set(given.user, given.name, sys.stdin.read(LONGEST + 2).rstrip("\r\n"))
        audit.record("secret_set", MOORING, user=given.user, name=given.name)
    elif await wallet.remove(given.user, given.name):
        audit.record("secret_removed", MOORING, user=given.user, name=given.name)
    else:
        raise Problem("no_such_secret", f"{given.user} keeps no secret {given.name}.")
    return []


async def keys(given: argparse.Namespace, store: SqliteStore) -> Sequence[str]:
    """What is to be printed. The store is open for this alone: no server seals meanwhile."""
    if given.verb == "rotate":
        count = await rotation.rotate(store.directory, store.identities, store.tool_logins)
        Audit(store.audit, timestamp, Redactor()).record("key_rotated", MOORING, seals=str(count))
        return [f"{count} log-ins and secrets are sealed with a new key; the old one is gone."]
    count = await rotation.forget(store.directory, store.identities, _move_away)
    return [f"{count} log-ins and secrets are given up."]


def _move_away(path: Path) -> None:
    """Kept: somebody might find out what it was."""
    path.replace(path.with_name(f"{path.name}.unused"))
