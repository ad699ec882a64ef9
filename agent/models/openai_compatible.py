"""Any endpoint that speaks the chat-completions protocol, on aiohttp: vLLM, llama.cpp, routers."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from urllib.request import getproxies, proxy_bypass

import aiohttp
from msgspec import Struct
from yarl import URL

from agent.errors import ConfigProblem
from agent.models import chat_request, failures
from agent.models.chat_reply import ChatReply, Prices
from agent.models.event_lines import EventLines, WholeBody
from agent.models.patience import Patience
from agent.models.port import ModelError, ModelRequest, Piece


class Limits(Struct, frozen=True):
    """What one request may take. `silence_seconds` is between bytes, also before the first one.

    `tail_seconds` is how long usage is awaited once the provider said why it stopped, and
    `reuse_seconds` how long the end of the stream is, so that the connection can be used again.
    """

    request_seconds: float = 600
    silence_seconds: float = 300
    connect_seconds: float = 10
    tail_seconds: float = 5
    reuse_seconds: float = 0.05
    line_bytes: int = 8 * 2**20
    reply_bytes: int = 64 * 2**20
    error_bytes: int = 64 * 2**10
    connections: int = 1000


USUAL = Limits()


class OpenAICompatible:
    """One endpoint with one connection pool for all sessions.

    A model may be asked for as `name/model` or by its bare name. `key` is asked at each request
    that brings none; `clock` gives seconds since the epoch, for a Retry-After that is a date.
    """

    def __init__(
        self,
        name: str,
        api_base: str,
        key: Callable[[], str | None],
        *,
        prices: Prices | None = None,
        limits: Limits = USUAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._url = _endpoint(name, api_base)
        self._key = key
        self._prices = prices
        self._limits = limits
        self._clock = clock
        self._tools = chat_request.WrittenTools()
        self._http: aiohttp.ClientSession | None = None

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        secret = self._secret(request)
        reply = ChatReply(self._name, prices=self._prices, secret=secret)
        deadline = asyncio.get_running_loop().time() + self._limits.request_seconds
        response = await self._open(request, secret, deadline)
        patience = Patience(self._limits.silence_seconds, deadline, response.close)
        try:
            payloads = self._payloads(response)
            read = response.content.readany
            with self._translated("stream_cut", patience):
                while data := await (self._tail(read, reply) if reply.stopped else read()):
                    patience.heard()
                    for piece in reply.pieces(payloads.feed(data)):
                        yield piece
            for piece in reply.pieces(payloads.end()):
                yield piece
        finally:
            patience.end()
            # Reusable when it was read to its end, closed at once when it was not.
            response.release()
        for piece in reply.end():
            yield piece

    async def warm(self) -> None:
        self._pool()

    async def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _open(
        self, request: ModelRequest, secret: str | None, deadline: float
    ) -> aiohttp.ClientResponse:
        body, headers = self._body(request), _headers(secret)
        with self._translated("unreachable"):
            silence = asyncio.get_running_loop().time() + self._limits.silence_seconds
            async with asyncio.timeout_at(min(silence, deadline)):
                response = await self._pool().post(
                    self._url, data=body, headers=headers, allow_redirects=False
                )
        if response.status == 200:
            return response
        try:
            raise await self._refusal(response, secret)
        finally:
            response.release()

    def _body(self, request: ModelRequest) -> bytes:
        model = request.model.removeprefix(f"{self._name}/")
        limit_field = chat_request.limit_field(self._url.host or "")
        return chat_request.body(request, model, limit_field, self._tools)

    def _payloads(self, response: aiohttp.ClientResponse) -> EventLines | WholeBody:
        if response.content_type == "text/html":
            raise failures.failure("garbled", self._name)
        if response.content_type == "application/json":
            return WholeBody(self._limits.reply_bytes)
        return EventLines(self._limits.line_bytes, self._limits.reply_bytes)

    async def _tail(self, read: Callable[[], Awaitable[bytes]], reply: ChatReply) -> bytes:
        """What follows the reason for stopping: welcome (usage, the end), but no longer needed."""
        limits = self._limits
        try:
            async with asyncio.timeout(limits.reuse_seconds if reply.done else limits.tail_seconds):
                return await read()
        except (TimeoutError, aiohttp.ClientError, OSError):
            return b""

    async def _refusal(self, response: aiohttp.ClientResponse, secret: str | None) -> ModelError:
        """The error that an answer other than 200 stands for; its body may itself be broken."""
        body = bytearray()
        with suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(self._limits.silence_seconds):
                async for data in response.content.iter_any():
                    body += data
                    if len(body) > self._limits.error_bytes:
                        break
        if 300 <= response.status < 400:
            moved = "it answers with a redirect, so its address is not the right one"
            return failures.failure("bad_request", self._name, moved)
        said = failures.heard(bytes(body[: self._limits.error_bytes]))
        return failures.failure(
            failures.code_of(response.status, said),
            self._name,
            said.message,
            secret=secret,
            retry_after=failures.retry_after(response.headers, self._clock()),
        )

    @contextmanager
    def _translated(self, lost: str, patience: Patience | None = None) -> Iterator[None]:
        """Turn what the network did into a ModelError; a lost connection has the code `lost`,
        unless it was we who ran out of patience."""
        try:
            yield
        except aiohttp.ConnectionTimeoutError:
            raise failures.failure("unreachable", self._name) from None
        except TimeoutError:
            raise failures.failure("timed_out", self._name) from None
        except (aiohttp.ClientResponseError, aiohttp.InvalidURL):
            raise failures.failure("garbled", self._name) from None
        except (aiohttp.ClientError, OSError):
            late = patience is not None and patience.ran_out
            raise failures.failure("timed_out" if late else lost, self._name) from None

    def _secret(self, request: ModelRequest) -> str | None:
        secret = (request.key or self._key() or "").strip()
        if not secret.isascii() or not secret.isprintable():
            raise failures.failure("unauthorized", self._name)
        return secret or None

    def _pool(self) -> aiohttp.ClientSession:
        if self._http is None:
            limits = self._limits
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=limits.connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy(self._url),
                # aiohttp's other times cost two timers a read.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_seconds),
            )
        return self._http


def _endpoint(name: str, api_base: str) -> URL:
    try:
        base = URL(api_base)
    except ValueError:
        base = URL()
    if base.scheme not in ("http", "https") or not base.host:
        raise ConfigProblem(f"The address of {name} must be like http://host:8000/v1.")
    return base / "chat/completions"


def _headers(secret: str | None) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",
        "User-Agent": "Mooring",
    }
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    return headers


def _proxy(url: URL) -> URL | None:
    """The environment's.

    Not left to aiohttp's `trust_env`: that asks two threads before every request, and fails it
    where a .netrc knows the host, for we bring a key of our own.
    """
    if _is_loopback(url) or proxy_bypass(url.host or ""):
        return None
    proxy = URL(getproxies().get(url.scheme, ""))
    return proxy if proxy.scheme == "http" else None  # aiohttp knows no other kind


def _is_loopback(url: URL) -> bool:
    """A model on this machine is never asked through the environment's proxy."""
    host = url.host or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
