"""Sessions over HTTP: create, list, show, rename, erase, fork, page through, export."""

import sys
from typing import Annotated, get_args

from aiohttp import web
from msgspec import Meta, Raw, Struct

from agent.protocol import AnyEvent
from server import export
from server.access import access, allows
from server.contract.frames import name_of
from server.errors import Refusal, bad_request
from server.identity.sharing import SHARING
from server.identity.ways_in import WAYS_IN
from server.keys import (
    ARCHIVE,
    AUDIT,
    CATALOGUE,
    RATES,
    RELATION,
    ROW,
    SESSIONS,
    STORE,
    TOOL_SERVERS,
    USER,
)
from server.routes import asked
from server.routes.answers import json
from server.sessions.loading import recorded
from server.sessions.rows import session_of
from server.wire import Access, Session

EVENT_TYPES = frozenset(map(name_of, get_args(AnyEvent)))
STATES = ("idle", "running", "awaiting_approval", "ended")
PAGE_BYTES = 1024 * 1024
DEFAULT_SESSIONS = 50
LONGEST_KEY = 200

Title = Annotated[str, Meta(max_length=200)]


class NewSessionBody(Struct, frozen=True, forbid_unknown_fields=True):
    title: Title | None = None
    model: str | None = None
    mcp_servers: tuple[str, ...] | None = None


class ChangedSessionBody(Struct, frozen=True, forbid_unknown_fields=True):
    title: Title | None = None


class ForkBody(Struct, frozen=True, forbid_unknown_fields=True):
    after_turn: str | None = None


class SessionPage(Struct, frozen=True):
    sessions: list[Session]
    next_cursor: str | None


class EventsPage(Struct, frozen=True):
    """Events as they are stored; `more` of them in the direction that was asked for."""

    events: list[Raw]
    head: int
    oldest: int
    more: bool


async def create(request: web.Request) -> web.Response:
    wanted = await asked.body(request, NewSessionBody)
    key = request.headers.get("Idempotency-Key") or None
    if key is not None and len(key) > LONGEST_KEY:
        raise bad_request(f"`Idempotency-Key` has more than {LONGEST_KEY} characters.")
    models = request.app[CATALOGUE].of(request.app[WAYS_IN].keyring.of(request[USER].id))
    model = wanted.model or models.default
    if not models.knows(model):
        why = models.why_not(model)
        raise Refusal(409, "no_such_model", f"The model {model!r} cannot be used. {why}")
    there = request.app[TOOL_SERVERS].names
    if strange := sorted({*(wanted.mcp_servers or ())} - {*there}):
        known = ", ".join(there) or "none"
        raise bad_request(f"`mcp_servers`: not configured: {strange[0]!r}. There are: {known}.")
    title, user = (wanted.title or "").strip(), request[USER]
    creations = request.app[RATES].creations
    creations.take(user.id)
    row, new = await request.app[ARCHIVE].create(user, title, model, key, wanted.mcp_servers)
    if not new:
        creations.give_back(user.id)
    return json(session_of(row, access(user.role, "owner")), 201 if new else 200)


async def listed(request: web.Request) -> web.Response:
    user = request[USER]
    relation = await request.app[SHARING].relations(user)
    page = await request.app[ARCHIVE].page(
        user.id,
        limit=asked.limit(request, DEFAULT_SESSIONS),
        cursor=asked.text(request, "cursor") or None,
        q=asked.text(request, "q"),
        state=asked.one_of(request, "state", STATES),
    )
    sessions = [
        session_of(row, access(user.role, relation(row)))
        for row in page.rows
        if allows(user.role, relation(row), "read")
    ]
    return json(SessionPage(sessions, page.next_cursor))


async def shown(request: web.Request) -> web.Response:
    return json(session_of(request[ROW], _access(request)))


async def changed(request: web.Request) -> web.Response:
    wanted = await asked.body(request, ChangedSessionBody)
    row, user = request[ROW], request[USER]
    if wanted.title is not None:
        row = await request.app[SESSIONS].rename(row.id, user, wanted.title.strip())
    return json(session_of(row, _access(request)))


async def erased(request: web.Request) -> web.Response:
    row, user = request[ROW], request[USER]
    await request.app[ARCHIVE].erase(row.id)
    if row.owner != user.id:
        request.app[AUDIT].record(
            "session_deleted", user.id, address=request.remote, session=row.id, owner=row.owner
        )
        await request.app[AUDIT].settled()
    return web.Response(status=204)


async def forked(request: web.Request) -> web.Response:
    wanted = await asked.body(request, ForkBody)
    request.app[RATES].creations.take(request[USER].id)
    row = await request.app[ARCHIVE].fork(
        request.match_info["id"], request[USER], wanted.after_turn
    )
    return json(session_of(row, access(request[USER].role, "owner")), 201)


def _access(request: web.Request) -> Access:
    return access(request[USER].role, request[RELATION])


async def events(request: web.Request) -> web.Response:
    id, store = request.match_info["id"], request.app[STORE]
    limit = asked.limit(request, asked.MOST)
    before = asked.number(request, "before", 0)
    after = asked.number(request, "after", 0)
    if asked.text(request, "types"):
        return await _picked(request, before or sys.maxsize, limit)
    if asked.text(request, "before"):
        page = await store.events_before(id, before, limit=limit, max_bytes=PAGE_BYTES)
    else:
        page = await store.events_after(id, after, limit=limit, max_bytes=PAGE_BYTES)
    for seq, body in enumerate(page.bodies, page.first):
        recorded(seq, body)  # raises LogDamaged: a page of anything else would be no JSON
    return json(EventsPage([Raw(body) for body in page.bodies], page.head, page.oldest, page.more))


async def _picked(request: web.Request, before: int, limit: int) -> web.Response:
    if asked.text(request, "after"):
        raise bad_request("`types` goes with `before`, not with `after`.")
    types = sorted({*asked.text(request, "types").split(",")})
    if strange := [name for name in types if name not in EVENT_TYPES]:
        raise bad_request(f"`types`: there are no events of type {strange[0]!r}.")
    page = await request.app[STORE].events_of(
        request.match_info["id"], types, before, limit=limit, max_bytes=PAGE_BYTES
    )
    for seq, body in page.events:
        recorded(seq, body)
    events = [Raw(body) for _, body in page.events]
    return json(EventsPage(events, page.head, page.oldest, page.more))


async def exported(request: web.Request) -> web.StreamResponse:
    id = request.match_info["id"]
    form = asked.one_of(request, "format", ("md", "jsonl"), default="md")
    response = web.StreamResponse()
    response.content_type = "text/markdown" if form == "md" else "application/jsonl"
    response.charset = "utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{id}.{form}"'
    pieces = export.pieces(request.app[STORE], id, "md" if form == "md" else "jsonl")
    first = await anext(pieces, b"")
    await response.prepare(request)
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response
