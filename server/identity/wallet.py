"""What users keep secret, opened: by name, as they are now, for whoever acts on their behalf."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from agent.errors import Problem
from agent.redaction import SHORTEST_KNOWN
from server.errors import Refusal, bad_request
from server.identity.keeper import Keeper
from server.identity.openid import Tokens
from server.store.identities import SecretRow

log = logging.getLogger(__name__)

MOST = 50
"""Secrets of one user."""
MOST_LOGINS = 50
LONGEST = 4096
"""Characters of a secret; shorter ones than SHORTEST_KNOWN could not be hidden in what is shown."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
LOOK_SECONDS = 0.5


class SecretStore(Protocol):
    """The part of the store that secrets need."""

    async def set_secret(self, secret: SecretRow, *, most: int) -> bool: ...

    async def remove_secret(self, owner: str, name: str) -> bool: ...

    async def secrets(self) -> tuple[SecretRow, ...]: ...

    async def secrets_version(self) -> int: ...


class Secret(Struct, frozen=True):
    """A secret without its value, which nobody is ever told."""

    name: str
    changed_at: str


class _Kept(Struct, frozen=True):
    value: str
    row: SecretRow


class Wallet:
    """`learnt` is told of every value that must not be shown, and whose it is."""

    def __init__(
        self,
        store: SecretStore,
        keeper: Keeper,
        learnt: Callable[[str, Sequence[str]], None],
        *,
        timestamp: Callable[[], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._learnt = learnt
        self._timestamp = timestamp
        self._now = now
        self._secrets: Mapping[str, dict[str, _Kept]] = {}
        self._brought: dict[str, dict[str, Tokens]] = {}
        self._version = -1
        self._reading = asyncio.Lock()

    # ---- what those who act for a user need -----------------------------------------------------

    def secret(self, owner: str, name: str) -> str | None:
        kept = self._secrets.get(owner, {}).get(name)
        return None if kept is None else kept.value

    def names(self, owner: str) -> tuple[str, ...]:
        return tuple(self._secrets.get(owner, {}))

    def hub(self, owner: str) -> str | None:
        """The token of the newest log-in that brought one which is good now."""
        now = self._now()
        for tokens in reversed(self._brought.get(owner, {}).values()):
            if tokens.expires is None or tokens.expires > now:
                return tokens.access
        return None

    # ---- what users do ---------------------------------------------------------------------------

    def listed(self, owner: str) -> tuple[Secret, ...]:
        kept = self._secrets.get(owner, {})
        return tuple(Secret(name, one.row.changed_at) for name, one in kept.items())

    async def set(self, owner: str, name: str, value: str) -> None:
        """Raises Refusal `bad_request` or `too_many_secrets`."""
        _check(name, value)
        vault = await self._keeper.vault()
        row = SecretRow(owner, name, vault.seal(place_of(owner, name), value), self._timestamp())
        # Hidden before anybody could use it: what is shown cannot be taken back.
        self._learnt(owner, (value,))
        if not await self._store.set_secret(row, most=MOST):
            raise Refusal(
                409, "too_many_secrets", f"You have {MOST} of {MOST} secrets. Remove one first."
            )
        await self.read()

    async def remove(self, owner: str, name: str) -> bool:
        """Whether there was such a secret. It stays hidden: others may know it still."""
        gone = await self._store.remove_secret(owner, name)
        await self.read()
        return gone

    # ---- implements Purse: what log-ins bring ----------------------------------------------------

    def bring(self, user: str, login: str, tokens: Tokens) -> None:
        theirs = self._brought.setdefault(user, {})
        theirs.pop(login, None)
        theirs[login] = tokens
        while len(theirs) > MOST_LOGINS:
            del theirs[next(iter(theirs))]
        self._learnt(user, (tokens.access,))

    def take(self, user: str, login: str) -> None:
        theirs = self._brought.get(user, {})
        theirs.pop(login, None)
        if not theirs:
            self._brought.pop(user, None)

    # ---- what is stored ------------------------------------------------------------------------

    async def read(self) -> None:
        """What has changed. Raises VaultProblem or StoreProblem."""
        async with self._reading:
            version = await self._store.secrets_version()
            if version == self._version:
                return
            rows = await self._store.secrets()
            found: dict[str, dict[str, _Kept]] = {}
            for row in rows:
                if (kept := await self._opened(row)) is not None:
                    found.setdefault(row.owner, {})[row.name] = kept
            self._secrets, self._version = found, version

    async def _opened(self, row: SecretRow) -> _Kept | None:
        """As before where nothing changed. One that does not open is said so, and passed over."""
        before = self._secrets.get(row.owner, {}).get(row.name)
        if before is not None and before.row == row:
            return before
        vault = await self._keeper.vault()
        try:
            kept = _Kept(vault.open(place_of(row.owner, row.name), row.sealed), row)
        except Problem as problem:
            log.error("%s", problem.message)
            return None
        self._learnt(row.owner, (kept.value,))
        return kept

    async def watch(self) -> None:
        """See what another process changes, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.read()
            except Problem as problem:
                log.warning("the secrets of users are not known: %s", problem.message)


def place_of(owner: str, name: str) -> str:
    """What a secret's seal is bound to."""
    return f"secret {name} of {owner}"


def _check(name: str, value: str) -> None:
    if not NAME.fullmatch(name):
        raise bad_request(
            f"{name[:100]!r} cannot name a secret: use 1 to 64 letters, digits and _,"
            " not beginning with a digit."
        )
    if not SHORTEST_KNOWN <= len(value) <= LONGEST:
        raise bad_request(
            f"A secret has {SHORTEST_KNOWN} to {LONGEST} characters, not {len(value)}."
        )
    if "\0" in value or value != value.strip() or not _is_text(value):
        raise bad_request("A secret is text without white space around it.")


def _is_text(value: str) -> bool:
    """Half a surrogate pair cannot be stored."""
    return value.encode(errors="replace").decode() == value
