"""What a request asks for: its query and body, read strictly."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from aiohttp import web

from server.errors import Refusal, bad_request

T = TypeVar("T")
MOST = 500
"""What one page holds at most."""
LARGEST_BODY = 1024 * 1024


def text(request: web.Request, name: str) -> str:
    """'' where it is absent."""
    return request.query.get(name, "")


def number(request: web.Request, name: str, default: int, least: int = 0) -> int:
    given = text(request, name)
    if not given:
        return default
    if not (given.isascii() and given.isdigit()) or len(given) > 18 or int(given) < least:
        raise bad_request(f"`{name}` has to be a whole number from {least} on, not {given!r}.")
    return int(given)


def limit(request: web.Request, default: int) -> int:
    """1 to 500; larger is taken as 500."""
    return min(number(request, "limit", default, least=1), MOST)


def one_of(request: web.Request, name: str, allowed: Sequence[str], default: str = "") -> str:
    given = text(request, name) or default
    if given and given not in allowed:
        raise bad_request(f"`{name}` has to be one of {', '.join(allowed)}, not {given!r}.")
    return given


async def body(request: web.Request, shape: type[T]) -> T:
    """The JSON body; an empty one counts as `{}`. Raises Refusal `bad_request` or `too_large`."""
    content = await content_of(request)
    try:
        return msgspec.json.decode(content or b"{}", type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refusal(400, "bad_request", f"The body cannot be read: {error}.") from None


async def content_of(request: web.Request) -> bytes:
    if (request.content_length or 0) > LARGEST_BODY:
        raise Refusal(413, "too_large", f"The body is larger than {LARGEST_BODY} bytes.")
    return await request.read()
