"""How the doors answer: JSON, errors in one shape, headers that keep browsers safe."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import hdrs, web
from msgspec import UNSET, Struct, UnsetType

from agent.errors import Problem, Refused
from server.errors import Refusal, Unauthorized, status_of

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
BEGUN = web.RequestKey("begun", web.StreamResponse)
_encode = msgspec.json.Encoder().encode


class ErrorBody(Struct, frozen=True):
    """`login` is where a browser goes to be known."""

    code: str
    message: str
    retry_after: float | None
    login: str | UnsetType = UNSET


class ErrorAnswer(Struct, frozen=True):
    """The body of every error."""

    error: ErrorBody


def json(body: Any, status: int = 200) -> web.Response:
    """`body`: a Struct, or what is made of Structs."""
    return web.Response(body=_encode(body), status=status, content_type="application/json")


def refusal(
    status: int,
    code: str,
    message: str,
    retry_after: float | None = None,
    login: str | None = None,
) -> web.Response:
    response = json(ErrorAnswer(ErrorBody(code, message, retry_after, login or UNSET)), status)
    if retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = str(max(1, round(retry_after)))
    if status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if status == 408:
        response.force_close()
    return response


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Problems become answers; what nobody expected is a 500 without details (a broad except)."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = _refused(request, error)
    except Problem as problem:
        answer = problem_told(problem)
    except (web.RequestPayloadError, ConnectionError):
        answer = refusal(400, "bad_request", "The body broke off, or is not what it says it is.")
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        answer = refusal(500, "internal_error", "The server made a mistake; its log says more.")
    begun: web.StreamResponse | None = request.get(BEGUN)
    if begun is None or request.transport is None or request.transport.is_closing():
        return answer  # to nobody, if the client is gone; a socket half open cannot be ended
    request.transport.abort()  # half an answer is out: only a cut tells that it is not whole
    return begun


def problem_told(problem: Problem) -> web.Response:
    wait = problem.retry_after if isinstance(problem, Refusal | Refused) else None
    login = problem.login if isinstance(problem, Unauthorized) else None
    return refusal(status_of(problem), problem.code, problem.message, wait, login)


def _refused(request: web.Request, error: web.HTTPException) -> web.Response:
    """What aiohttp refuses by itself, in our words."""
    match error:
        case web.HTTPRequestEntityTooLarge():
            return refusal(413, "too_large", "The body is too large.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            answer = refusal(405, "method_not_allowed", f"{error.method} is not one of {allowed}.")
            answer.headers[hdrs.ALLOW] = allowed
            return answer
        case web.HTTPNotFound():
            return refusal(404, "not_found", f"There is nothing at {request.path!r}.")
        case _:
            return refusal(error.status, "bad_request", error.reason)


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer, pages and data alike; an upgrade needs none."""
    request[BEGUN] = response
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return  # no page comes of it, and they would be kept as long as the socket lives
    headers = response.headers
    headers[hdrs.SERVER] = "mooring"  # and not which libraries, of which age
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if request.path.startswith("/api/"):
        headers.setdefault("Cache-Control", "no-store")
