"""HTTP to what a server of tools names when it wants a log-in: guarded, small, not redirected."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import msgspec

from agent.errors import Problem
from agent.loopback import is_loopback
from agent.tools.egress import Egress
from agent.tools.mcp_http import PLAIN, Measured

SECONDS = 20.0
LARGEST = 256 * 1024
"""Bytes of an answer."""
LOOPBACK = ("127.0.0.0/8", "::1/128")
_PASSED_ON = ("accept", "authorization", "mcp-protocol-version")


class Guarded(httpx2.AsyncBaseTransport):
    """`home` is the address that the configuration names. Its origin is trusted; any other one has
    to be https and public. `allow` are networks that count as public; a home on this machine may
    name others there."""

    def __init__(self, home: str, allow: Sequence[str] = ()) -> None:
        self._home = httpx2.URL(home)
        self._own = Measured()
        near = LOOPBACK if is_loopback(self._home.host) else ()
        networks = (*allow, *near)
        self._egress = Egress(allow=networks, seconds=SECONDS, max_bytes=LARGEST, max_redirects=0)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(request.url) == _origin(self._home):
            request.headers["Accept-Encoding"] = PLAIN
            return await self._own.handle_async_request(request)
        try:
            return await self._elsewhere(request)
        except Problem as problem:
            raise httpx2.ConnectError(problem.message, request=request) from None

    async def aclose(self) -> None:
        await self._own.aclose()

    async def _elsewhere(self, request: httpx2.Request) -> httpx2.Response:
        check_private(str(request.url))
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        body = _body(await request.aread(), request.headers.get("content-type", ""))
        answer = await self._egress.request(
            request.method, str(request.url), headers=headers, **body
        )
        if answer.cut:
            raise Problem("too_large", f"{request.url.host} answered over {LARGEST} bytes.")
        kind = {"content-type": answer.media_type}
        return httpx2.Response(answer.status, headers=kind, content=answer.body, request=request)


def check_private(url: str) -> None:
    """Raises Problem unless nobody on the way can read along: https, or within this machine."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise Problem("bad_url", f"It names what is no address: {url[:200]!r}.") from None
    is_private = parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(parsed.host))
    if not is_private or not parsed.host:
        raise Problem("bad_url", f"It names an address that is not https: {url[:200]!r}.")


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _body(content: bytes, kind: str) -> dict[str, Any]:
    """As the way out takes it: forms and JSON are all that is ever sent."""
    if not content:
        return {}
    if kind.startswith("application/json"):
        return {"json": msgspec.json.decode(content)}
    return {"form": dict(parse_qsl(content.decode(), keep_blank_values=True))}
