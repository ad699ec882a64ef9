"""The way out to the web: public addresses only, checked where the connection is made."""

import ipaddress
import socket
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from yarl import URL

from agent.errors import Problem

MIB = 1024 * 1024
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ODD = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # IETF protocol assignments, RFC 6890
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # local NAT64, RFC 8215
)
_REDIRECTS = (301, 302, 303, 307, 308)
_CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Answer(Struct, frozen=True):
    """What came back in the end: `url` after all redirects, `body` cut to the limit; what the
    headers Retry-After and X-Error-Code say."""

    url: str
    status: int
    media_type: str
    charset: str | None
    body: bytes
    cut: bool
    retry_after: str | None = None
    error_code: str | None = None

    def text(self) -> str:
        try:
            return self.body.decode(self.charset or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")


class Egress:
    """Requests to addresses that somebody else names. `allow` are networks that count as public.

    Raises Problem: `bad_url`, `not_public`, `unreachable`, `timed_out`, `too_many_redirects`.
    """

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        resolver: AbstractResolver | None = None,
        seconds: float = 20,
        max_bytes: int = 5 * MIB,
        max_redirects: int = 5,
    ) -> None:
        self._allowed = tuple(ipaddress.ip_network(network) for network in allow)
        self._resolver = resolver
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._max_bytes = max_bytes
        self._max_redirects = max_redirects

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Follows redirects itself; each hop is checked like the first, and carries no `headers`
        to another origin."""
        target = self._checked(url)
        connector = aiohttp.TCPConnector(resolver=_Guard(self._resolver, self._allows), limit=2)
        own = {"User-Agent": "mooring", "Accept-Encoding": "gzip"}
        async with aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, auto_decompress=False, headers=own
        ) as session:
            for _ in range(self._max_redirects + 1):
                sent = headers if target.origin() == URL(url).origin() else None
                answer = await self._once(session, method, target, sent, json, form)
                if isinstance(answer, Answer):
                    return answer
                if target.origin() != answer.origin() or method == "POST":
                    method, json, form = "GET", None, None
                target = self._checked(str(answer))
        raise Problem("too_many_redirects", f"{url} was redirected {self._max_redirects} times.")

    async def _once(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        headers: Mapping[str, str] | None,
        json: Any,
        form: Mapping[str, str] | None,
    ) -> Answer | URL:
        """What came, or where it is said to be."""
        try:
            async with session.request(
                method, url, headers=headers, json=json, data=form, allow_redirects=False
            ) as response:
                if response.status in _REDIRECTS and (where := response.headers.get("Location")):
                    return _joined(url, where)
                body, cut = await _read(response, self._max_bytes)
                kind, charset = response.content_type, response.charset
                after, code = map(response.headers.get, ("Retry-After", "X-Error-Code"))
                return Answer(str(url), response.status, kind, charset, body, cut, after, code)
        except TimeoutError:
            seconds = self._timeout.total
            raise Problem("timed_out", f"{url.host} did not answer within {seconds:g} s.") from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _NotPublic):
                raise _not_public(url) from None
            raise Problem("unreachable", f"{url.host} cannot be reached.") from None
        except (aiohttp.ClientError, OSError, zlib.error, ValueError):
            raise Problem("unreachable", f"{url.host} gave no usable answer.") from None

    def _checked(self, text: str) -> URL:
        try:
            url = URL(text)
            host, _ = url.host, url.port
        except ValueError:
            raise Problem("bad_url", f"{text[:200]!r} is not an address.") from None
        if url.scheme not in ("http", "https") or not host:
            raise Problem("bad_url", "Only http:// and https:// addresses can be fetched.")
        if url.user is not None or url.password is not None:
            raise Problem("bad_url", "An address must not carry a user or a password.")
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            if host.replace(".", "").isdigit():  # an address in one of its old spellings
                raise _not_public(url) from None
            return url  # a name: the resolver looks at what it stands for
        if not self._allows(literal):
            raise _not_public(url)
        return url

    def _allows(self, address: Address) -> bool:
        if any(address in network for network in self._allowed):
            return True
        return is_public(address)


class _NotPublic(OSError):
    """A name that stands for an address that is not public."""


class _Guard(AbstractResolver):
    """Resolves names; one address that is not public spoils all of them."""

    def __init__(self, resolver: AbstractResolver | None, allows: Any) -> None:
        self._resolver = resolver or aiohttp.ThreadedResolver()
        self._allows = allows

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(self._allows(ipaddress.ip_address(one["host"])) for one in found):
            raise _NotPublic(host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def is_public(address: Address) -> bool:
    """Whether an address belongs to somebody on the internet, also inside of another address."""
    if isinstance(address, ipaddress.IPv6Address):
        within = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            within = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo:
            return False
        if within is not None:
            return is_public(within)
    odd = any(address.version == network.version and address in network for network in _ODD)
    return address.is_global and not address.is_multicast and not odd


def _not_public(url: URL) -> Problem:
    says = f"{url.host} is not a public address"
    return Problem("not_public", f"{says}. Only the public web can be reached from here.")


def _joined(url: URL, where: str) -> URL:
    try:
        return url.join(URL(where))
    except ValueError:
        raise Problem("bad_url", f"{url.host} redirects to what is no address.") from None


async def _read(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    """The body as far as the limit goes, inflated no further than that."""
    coding = response.headers.get("Content-Encoding", "identity").lower()
    inflate = zlib.decompressobj(_CODINGS[coding]) if coding in _CODINGS else None
    if inflate is None and coding != "identity":
        raise ValueError(f"content coding {coding}")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += inflate.decompress(chunk, limit + 1 - len(body)) if inflate else chunk
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False
