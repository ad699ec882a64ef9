"""The audit log for operators, page by page."""

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from server.keys import STORE
from server.routes import asked
from server.routes.answers import json
from server.store.audit import AuditEntry


class AuditedAct(Struct, frozen=True):
    """Who did what; `seal` is the SHA-256 of the seal before and this entry."""

    number: int
    at: str
    who: str
    what: str
    detail: dict[str, str]
    seal: str
    address: str | UnsetType = UNSET
    session: str | UnsetType = UNSET


class AuditAnswer(Struct, frozen=True):
    entries: list[AuditedAct]
    head: int
    more: bool


async def audited(request: web.Request) -> web.Response:
    after, limit = asked.number(request, "after", 0), asked.limit(request, asked.MOST)
    page = await request.app[STORE].audit.page(after, limit=limit)
    return json(AuditAnswer([_act(entry) for entry in page.entries], page.head, page.more))


def _act(entry: AuditEntry) -> AuditedAct:
    return AuditedAct(
        number=entry.number,
        at=entry.at,
        who=entry.who,
        what=entry.what,
        detail=dict(entry.detail),
        seal=entry.seal,
        address=entry.address or UNSET,
        session=entry.session or UNSET,
    )
