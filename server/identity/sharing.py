"""What a user is to a session: whose it is, with whom it is shared, and who is told of changes."""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web
from msgspec import Struct

from agent.errors import Problem
from agent.protocol import MOORING
from server.access import Relation, check
from server.audit import Audit
from server.errors import NoSuchShare, bad_request
from server.held import Held
from server.people import User
from server.sessions.channel import Channel
from server.sessions.fleet import Fleet, View
from server.store.port import SessionRow
from server.store.shares import Share, Shared, ShareRole, ShareStore
from server.times import written

SHARING: web.AppKey["Sharing"] = web.AppKey("sharing")
LONGEST_LINK_DAYS = 3650
_SHAPE = re.compile(r"mooring_share_([0-9a-f]{12})_([0-9a-f]{64})")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
_NOBODY = bytes(32)
"""What an unknown link is compared with, so that it takes as long as a known one."""


class Wanted(Struct, frozen=True):
    """A share to be: with `user`, or by a link that can be used for `days`."""

    role: ShareRole
    user: str | None = None
    days: int = 30


def nobody() -> None:
    """To be told."""


class Standing:
    """What the user of one connection is to its session, as long as it is open."""

    __slots__ = ("changed", "relation", "session", "user")

    def __init__(self, user: User, session: SessionRow, relation: Relation) -> None:
        self.user = user
        self.session = session
        self.relation = relation
        self.changed: Callable[[], None] = nobody
        """Called when `relation` is another one."""

    def become(self, relation: Relation) -> None:
        if relation != self.relation:
            self.relation = relation
            self.changed()


class Sharing:
    """`seen` finds the channel of a row, which knows more than it."""

    def __init__(
        self,
        shares: ShareStore,
        audit: Audit,
        fleet: Fleet,
        seen: Callable[[SessionRow], Channel | SessionRow],
        *,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_hex: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self._shares = shares
        self._audit = audit
        self._fleet = fleet
        self._seen = seen
        self._today = today
        self._random_hex = random_hex
        self._standings: dict[tuple[str, str], set[Standing]] = {}
        self._telling = asyncio.Lock()
        """What is read last is told last: nobody keeps what was taken meanwhile."""

    # -- asked at every door --

    async def relation(self, user: User, row: SessionRow) -> Relation:
        if row.owner == user.id:
            return "owner"
        return (await self._shares.granted(user.id, row.id)).get(row.id, "none")

    async def relations(self, user: User) -> Callable[[SessionRow], Relation]:
        """What the user is to any of the sessions in a list."""
        granted = await self._shares.granted(user.id)

        def relation(row: SessionRow) -> Relation:
            return "owner" if row.owner == user.id else granted.get(row.id, "none")

        return relation

    def watched(self, standing: Standing) -> Held:
        """While inside, it is told what becomes of it. To be followed by `confirm`."""
        key = standing.session.id, standing.user.id
        self._standings.setdefault(key, set()).add(standing)
        return Held(self._unwatch, key, standing)

    async def confirm(self, standing: Standing) -> None:
        """What changed since it was found out. Raises NoSuchSession where all is lost."""
        if standing.relation != "owner":
            async with self._telling:
                standing.become(await self.relation(standing.user, standing.session))
            check(standing.user.role, standing.relation, "read")

    async def show(self, view: View, user: User) -> None:
        """Let a dashboard see what is shared with its user."""
        async with self._telling:
            view.shared = dict(await self._shares.granted(user.id))

    # -- given and taken --

    async def make(self, row: SessionRow, by: User, wanted: Wanted) -> tuple[Share, str | None]:
        """The share, and the secret of its link, which cannot be had again."""
        name, secret = self._random_hex(6), None
        now = self._today()
        share = Share(name, row.id, wanted.role, by.id, written(now), user=_name_of(wanted, row))
        if share.user is None:
            secret = self._random_hex(32)
            until = written(now + timedelta(days=wanted.days))
            share = Share(
                name, row.id, wanted.role, by.id, written(now), None, _hash(secret), until
            )
        await self._shares.add(share)
        whom = share.user or "a link"
        self._audit.record(
            "share_made", by.id, session=row.id, share=name, role=share.role, whom=whom
        )
        await self._audit.settled()
        if share.user is not None:
            await self._tell(row, share.user)
        return share, None if secret is None else f"mooring_share_{name}_{secret}"

    async def listed(self, session: str) -> tuple[Shared, ...]:
        return await self._shares.of_session(session)

    async def found(self, presented: str) -> Share:
        """The share of a link. Raises NoSuchShare: unknown, revoked and expired look the same."""
        found = _SHAPE.fullmatch(presented)
        name, secret = found.groups() if found else ("", "")
        share = await self._shares.find(name)
        right = hmac.compare_digest((share and share.hash) or _NOBODY, _hash(secret))
        if share is None or not right or (share.expires_at or "") <= written(self._today()):
            raise NoSuchShare
        return share

    async def redeem(self, share: Share, row: SessionRow, user: User) -> None:
        """The user has it from now on; an owner needs none."""
        if row.owner == user.id:
            return
        if await self._shares.grant(share.id, user.id, written(self._today())):
            self._audit.record(
                "share_redeemed", user.id, session=row.id, share=share.id, role=share.role
            )
            await self._audit.settled()
            await self._tell(row, user.id)

    async def revoke(self, row: SessionRow, share: str, by: User) -> None:
        """Whoever had nothing else loses the session at once. Raises NoSuchShare."""
        had = await self._shares.revoke(row.id, share)
        if had is None:
            raise NoSuchShare
        self._audit.record("share_revoked", by.id, session=row.id, share=share)
        for user in had:
            await self._tell(row, user)
        await self._audit.settled()

    async def _tell(self, row: SessionRow, user: str) -> None:
        async with self._telling:
            try:
                role = (await self._shares.granted(user, row.id)).get(row.id)
            except Problem:
                role = None  # whoever still has it comes back
            for standing in tuple(self._standings.get((row.id, user), ())):
                standing.become(role or "none")
            self._fleet.shared(self._seen(row), row.id, user, role)

    def _unwatch(self, key: tuple[str, str], standing: Standing) -> None:
        there = self._standings[key]
        there.discard(standing)
        standing.changed = nobody  # who was told has the standing, too: a ring
        if not there:
            del self._standings[key]


def _name_of(wanted: Wanted, row: SessionRow) -> str | None:
    """Whether there is such a user is not told: a share waits for whoever comes."""
    if not 1 <= wanted.days <= LONGEST_LINK_DAYS:
        raise bad_request(f"A link lasts 1 to {LONGEST_LINK_DAYS} days, not {wanted.days}.")
    name = wanted.user
    if name is not None and not _NAME.fullmatch(name):
        raise bad_request("`user` is the id of a user: up to 200 characters without spaces.")
    if name in (row.owner, MOORING):
        raise bad_request(f"{name!r} needs no share. Name somebody else.")
    return name


def _hash(secret: str) -> bytes:
    # The secret has 256 random bits: nothing is gained by a slow hash.
    return hashlib.sha256(secret.encode()).digest()
