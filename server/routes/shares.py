"""Shares of a session: made, listed, revoked, and taken up by whoever has a link."""

from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from server.access import access, check
from server.identity.sharing import SHARING, Wanted
from server.keys import ROW, SESSIONS, USER
from server.routes import asked
from server.routes.answers import json
from server.sessions.rows import session_of
from server.store.shares import Shared, ShareRole
from server.wire import Session

DAYS = 30
"""How long a link can be used where nothing else is asked for."""


class NewShareBody(Struct, frozen=True, forbid_unknown_fields=True):
    role: ShareRole
    user: Annotated[str, Meta(max_length=200)] | None = None
    days: int | None = None


class RedeemBody(Struct, frozen=True, forbid_unknown_fields=True):
    secret: Annotated[str, Meta(max_length=200)]


class UsedBy(Struct, frozen=True):
    user: str
    at: str


class ShareEntry(Struct, frozen=True):
    """With `user`, or by a link that can be used until `expires_at`; `used` by those who have."""

    id: str
    role: ShareRole
    by: str
    created_at: str
    used: list[UsedBy]
    user: str | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    link: str | UnsetType = UNSET
    """Both are shown once, when the share is made."""


class ShareList(Struct, frozen=True):
    shares: list[ShareEntry]


class Redeemed(Struct, frozen=True):
    session: Session


async def made(request: web.Request) -> web.Response:
    body = await asked.body(request, NewShareBody)
    wanted = Wanted(body.role, body.user, DAYS if body.days is None else body.days)
    share, secret = await request.app[SHARING].make(request[ROW], request[USER], wanted)
    return json(_entry(Shared(share, ()), secret, str(request.url.origin())), 201)


async def listed(request: web.Request) -> web.Response:
    shares = await request.app[SHARING].listed(request[ROW].id)
    return json(ShareList([_entry(shared) for shared in shares]))


async def revoked(request: web.Request) -> web.Response:
    await request.app[SHARING].revoke(request[ROW], request.match_info["share"], request[USER])
    return web.Response(status=204)


async def redeemed(request: web.Request) -> web.Response:
    """The secret of a link, for what it gives; a second time changes nothing."""
    body = await asked.body(request, RedeemBody)
    sharing, user = request.app[SHARING], request[USER]
    share = await sharing.found(body.secret)
    row = await request.app[SESSIONS].row(share.session)
    await sharing.redeem(share, row, user)
    relation = await sharing.relation(user, row)
    check(user.role, relation, "read")
    return json(Redeemed(session_of(row, access(user.role, relation))))


def _entry(shared: Shared, secret: str | None = None, origin: str = "") -> ShareEntry:
    share = shared.share
    used = [] if share.user is not None else [UsedBy(g.user, g.at) for g in shared.grants]
    return ShareEntry(
        id=share.id,
        role=share.role,
        by=share.by,
        created_at=share.created_at,
        used=used,
        user=share.user or UNSET,
        expires_at=share.expires_at or UNSET,
        secret=secret or UNSET,
        link=f"{origin}/#/join/{secret}" if secret else UNSET,  # a fragment is sent to nobody
    )
