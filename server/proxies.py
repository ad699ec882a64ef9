"""Who asks, where a proxy asks for them: forwarded headers count from configured networks alone."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from msgspec import Struct

from agent.errors import ConfigProblem

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
MOST_HOPS = 32
"""Addresses of `X-Forwarded-For` that are looked at, from the nearest on."""
MOST_KNOWN = 4_096
"""Addresses that were read lately: a crowd that comes back reads none anew."""


class Asker(Struct, frozen=True):
    """Where a request comes from, and under which name it was asked for."""

    address: str
    scheme: str
    host: str


class Proxies:
    """`networks` are those whose word is taken. Raises ConfigProblem where one is none."""

    def __init__(self, networks: Iterable[str]) -> None:
        try:
            self._networks = tuple(ip_network(network) for network in networks)
        except ValueError as error:
            raise ConfigProblem(f"`trusted_proxies`: {error}.") from None

    def trusts(self, address: str) -> bool:
        try:
            known = _unmapped(address)
        except ValueError:
            return False
        return any(known in network for network in self._networks)

    def asker(self, nearest: Asker, headers: Mapping[str, str]) -> Asker:
        """`headers` have lower-case names; of one that came twice, the values joined by commas."""
        if not self.trusts(nearest.address):
            return nearest
        scheme = _last(headers.get("x-forwarded-proto", "")).lower()
        host = _last(headers.get("x-forwarded-host", ""))
        return Asker(
            address=self._client(nearest.address, headers.get("x-forwarded-for", "")),
            scheme=scheme if scheme in ("http", "https") else nearest.scheme,
            host=host if _HOST.fullmatch(host) else nearest.host,
        )

    def _client(self, nearest: str, chain: str) -> str:
        """From the nearest hop back to the first that nobody vouches for: what stands before it,
        anybody may have written."""
        client = nearest
        for hop in reversed(chain.rsplit(",", MOST_HOPS)[-MOST_HOPS:]):
            try:
                client = str(_unmapped(hop.strip()))
            except ValueError:
                break
            if not self.trusts(client):
                break
        return client


@lru_cache(MOST_KNOWN)
def crowd_of(address: str) -> str:
    """What limits go by: an address, or the /64 that one household of IPv6 has."""
    try:
        known = _unmapped(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address) and not known.is_loopback:
        return str(ip_network((int(known) >> 64 << 64, 64)))
    return str(known)


@lru_cache(MOST_KNOWN)
def _unmapped(address: str) -> IPv4Address | IPv6Address:
    known = ip_address(address.partition("%")[0])
    mapped = known.ipv4_mapped if isinstance(known, IPv6Address) else None
    return known if mapped is None else mapped


def _last(values: str) -> str:
    """What the nearest proxy said; it stands behind whatever it passed on."""
    return values.rpartition(",")[2].strip()
