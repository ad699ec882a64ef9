"""The port of the audit log: who did what that others may have to answer for."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from agent.errors import Problem
from agent.redaction import Redactor
from server.store.audit import AuditLog, AuditRow

log = logging.getLogger(__name__)

AuditedAct = Literal[
    "login",
    "login_refused",
    "logout",
    "token_created",
    "token_revoked",
    "share_made",
    "share_redeemed",
    "share_revoked",
    "approval",
    "answer",
    "auto_approval",
    "auto_approved",
    "session_deleted",
    "session_stopped",
    "secret_set",
    "secret_removed",
    "mcp_connected",
    "mcp_disconnected",
    "key_rotated",
    "audit_trimmed",
]
LONGEST = 200
"""Characters of one text; what is beyond is cut."""


class Audit:
    """Handed over at once and committed in order with everything else that is written."""

    def __init__(self, kept: AuditLog, timestamp: Callable[[], str], redactor: Redactor) -> None:
        self._kept = kept
        self._timestamp = timestamp
        self._redactor = redactor
        self._pending: set[asyncio.Future[None]] = set()

    def record(
        self,
        what: AuditedAct,
        who: str,
        *,
        address: str | None = None,
        session: str | None = None,
        **detail: str,
    ) -> None:
        """Call it when the act has taken effect. It never waits and never fails.

        `who` is the id of the user who acted, `mooring` where nobody is known (the command line,
        a refused login); `address` where the request came from. `detail` are short texts by name,
        as `token=token.id, role=token.role`: ids and kinds, never a secret (what looks like one is
        taken out all the same). On a disk that takes nothing the act stands, and the server's log
        says that it is missing here.
        """
        told = {name: self._clean(text) for name, text in detail.items()}
        row = AuditRow(self._timestamp(), self._clean(who), what, address, session, told)
        kept = self._kept.add(row)
        self._pending.add(kept)
        kept.add_done_callback(lambda done: self._added(done, row))

    async def settled(self) -> None:
        """When all that was recorded until now is on the disk, or lost."""
        if self._pending:
            await asyncio.wait(tuple(self._pending))

    def _added(self, done: asyncio.Future[None], row: AuditRow) -> None:
        self._pending.discard(done)
        _tell(done, row)

    def _clean(self, text: str) -> str:
        readable = text.encode(errors="replace").decode().replace("\0", " ")
        return self._redactor.text(readable)[:LONGEST]


def _tell(done: asyncio.Future[None], row: AuditRow) -> None:
    if done.cancelled():
        log.error("not in the audit log: %s by %s", row.what, row.who)
    elif isinstance(problem := done.exception(), Problem):
        log.error("not in the audit log: %s by %s (%s)", row.what, row.who, problem.message)
    elif problem is not None:
        log.error("not in the audit log: %s by %s", row.what, row.who, exc_info=problem)
