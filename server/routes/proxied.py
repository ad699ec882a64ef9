"""The outermost door: a request that a trusted proxy passes on is its client's from here on."""

from collections.abc import Awaitable

from aiohttp import web

from server.keys import PROXIES
from server.proxies import Asker
from server.routes.answers import Handler

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")


@web.middleware
def proxied(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """`remote`, `scheme` and `host` are the client's for every room behind this one.

    It is no coroutine: each is kept as long as the socket behind it lives.
    """
    told = {
        name.lower(): ",".join(request.headers.getall(name))
        for name in FORWARDED
        if name in request.headers
    }
    if told:
        nearest = Asker(request.remote or "", request.scheme, request.host)
        asker = request.app[PROXIES].asker(nearest, told)
        if asker != nearest:
            request = request.clone(remote=asker.address, scheme=asker.scheme, host=asker.host)
    return handler(request)
