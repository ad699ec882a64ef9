"""What pages of other origins may ask: those of `allowed_origins`, and what browsers ask first."""

from collections.abc import Awaitable

from aiohttp import hdrs, web

from server.identity.origins import ORIGINS
from server.routes.answers import Handler

METHODS = "GET, POST, PATCH, PUT, DELETE"
HEADERS = "Authorization, Content-Type, Idempotency-Key"
EXPOSED = "Content-Disposition, Retry-After"
KEPT_SECONDS = 600


@web.middleware
def preflight(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """Answered before anybody says who they are: browsers send no credentials with it.

    It is no coroutine: each is kept as long as the socket behind it lives.
    """
    asks = request.method == hdrs.METH_OPTIONS
    if not asks or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
        return handler(request)
    if not _applies(request) or _allowed(request) is None:
        return handler(request)
    return _permitted()


async def _permitted() -> web.StreamResponse:
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(KEPT_SECONDS),
        },
    )


async def shared(request: web.Request, response: web.StreamResponse) -> None:
    """Lets a page of an allowed origin read the answer, errors too."""
    if response.status == 101 or not _applies(request) or not request.app[ORIGINS].named:
        return
    headers = response.headers
    headers.add(hdrs.VARY, hdrs.ORIGIN)  # a cache must not give one page's answer to another
    if (origin := _allowed(request)) is None:
        return
    headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED
    if origin != "*":
        headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"


def _applies(request: web.Request) -> bool:
    return request.path.startswith("/api/") or request.path in ("/healthz", "/readyz")


def _allowed(request: web.Request) -> str | None:
    origin = request.headers.get(hdrs.ORIGIN)
    return None if origin is None else request.app[ORIGINS].answer_to(origin)
