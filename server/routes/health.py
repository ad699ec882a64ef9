"""Whether the server lives, is ready, who asks, which models there are, and its metrics."""

from urllib.parse import urlsplit

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from agent.loopback import is_loopback
from server.access import check
from server.identity.ways_in import WAYS_IN
from server.keys import CATALOGUE, FLEET, READINESS, SESSIONS, STORE, USER
from server.people import AuthMethod, Role
from server.readiness import Report
from server.routes.answers import json
from server.routes.entrance import asker

PASSED_ON = ("forwarded", "x-forwarded-", "via", "x-real-ip")
"""How names of headers begin by which a proxy tells that it asks for somebody else."""


class Alive(Struct, frozen=True):
    status: str


class Me(Struct, frozen=True):
    id: str
    name: str
    role: Role


class WhoAmI(Struct, frozen=True):
    user: Me
    auth: AuthMethod


class ModelOffer(Struct, frozen=True):
    id: str
    label: str
    context: int
    available: bool
    why_not: str | UnsetType = UNSET


class ModelOffers(Struct, frozen=True):
    models: list[ModelOffer]
    default: str


async def healthz(request: web.Request) -> web.Response:
    return json(Alive("ok"))


async def readyz(request: web.Request) -> web.Response:
    report, store = request.app[READINESS].report, request.app[STORE]
    if complaint := store.complaint:
        store.try_again()  # whoever waits for this server to be ready sends it nothing to write
        report = Report(False, (*report.reasons, complaint), report.warnings)
    if cramped := store.cramped:
        report = Report(report.ready, report.reasons, (*report.warnings, cramped))
    return json(report, 200 if report.ready else 503)


async def me(request: web.Request) -> web.Response:
    user = request[USER]
    return json(WhoAmI(Me(user.id, user.name, user.role), user.via))


async def models(request: web.Request) -> web.Response:
    own = request.app[CATALOGUE].of(request.app[WAYS_IN].keyring.of(request[USER].id))
    offers = [
        ModelOffer(o.id, o.label, o.context, o.available, o.why_not or UNSET) for o in own.offers()
    ]
    return json(ModelOffers(offers, own.default))


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text, for the machine itself and for operators."""
    if not _is_of_this_machine(request):
        user = await asker(request)
        check(user.role, "none", "operate")
    from server.metrics import text  # its library is not needed by anyone who never asks

    app = request.app
    content = await text(app[SESSIONS], app[FLEET], app[STORE])
    return web.Response(body=content, headers={"Content-Type": "text/plain; version=0.0.4"})


def _is_of_this_machine(request: web.Request) -> bool:
    """Asked from here and for here: behind a proxy on this machine everybody comes from it."""
    try:
        name = urlsplit(f"//{request.host}").hostname
    except ValueError:
        return False
    passed_on = any(header.lower().startswith(PASSED_ON) for header in request.headers)
    return is_loopback(request.remote or "") and is_loopback(name or "") and not passed_on
