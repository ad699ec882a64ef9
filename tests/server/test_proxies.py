"""Whose word is taken about who asks."""

import pytest

from agent.errors import ConfigProblem
from server.proxies import MOST_HOPS, Asker, Proxies, crowd_of

NEAREST = Asker("10.0.0.1", "http", "inner:8765")
OURS = Proxies(["10.0.0.0/8", "fd00::/8"])


def client(chain: str, proxies: Proxies = OURS) -> str:
    return proxies.asker(NEAREST, {"x-forwarded-for": chain}).address


def test_a_network_that_is_none_is_told_with_its_key() -> None:
    with pytest.raises(ConfigProblem, match="`trusted_proxies`: 'here' does not appear to be"):
        Proxies(["here"])


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.9.9.9", True),
        ("::ffff:10.9.9.9", True),
        ("fd00::1%eth0", True),
        ("11.0.0.1", False),
        ("2001:db8::1", False),
        ("", False),
        ("10.0.0.1:80", False),
    ],
)
def test_a_proxy_is_trusted_by_its_network(address: str, trusted: bool) -> None:
    assert OURS.trusts(address) is trusted


def test_the_client_is_the_first_that_nobody_vouches_for() -> None:
    assert client("192.0.2.7") == "192.0.2.7"
    assert client("192.0.2.7, 10.0.0.2") == "192.0.2.7"
    assert client("::ffff:192.0.2.7") == "192.0.2.7"
    assert client("10.0.0.3, 10.0.0.2") == "10.0.0.3", "a client inside"


def test_what_a_client_writes_before_its_own_address_is_not_believed() -> None:
    assert client("127.0.0.1, 192.0.2.7") == "192.0.2.7"
    assert client("127.0.0.1, nonsense, 10.0.0.2") == "10.0.0.2"
    assert client("127.0.0.1, ") == NEAREST.address
    assert client("192.0.2.1," * 10_000 + "10.0.0.2," * MOST_HOPS) == NEAREST.address


def test_nobody_elses_word_is_taken() -> None:
    told = {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "localhost",
    }
    stranger = Asker("192.0.2.7", "http", "inner:8765")
    assert OURS.asker(stranger, told) == stranger
    assert Proxies(()).asker(NEAREST, told) == NEAREST


def test_scheme_and_host_are_what_the_nearest_proxy_says() -> None:
    told = {"x-forwarded-proto": "http, HTTPS", "x-forwarded-host": "evil.example, team.example"}
    assert OURS.asker(NEAREST, told) == Asker("10.0.0.1", "https", "team.example")


@pytest.mark.parametrize("host", ["", "a b", "x/y", "a@b", "[::1", "a:b", "ä.example", "a" * 300])
def test_a_host_that_is_none_is_not_taken(host: str) -> None:
    told = {"x-forwarded-host": host, "x-forwarded-proto": "gopher"}
    assert OURS.asker(NEAREST, told) == NEAREST


@pytest.mark.parametrize("host", ["team.example", "team.example:8443", "[2001:db8::1]:443"])
def test_a_host_may_have_a_port(host: str) -> None:
    assert OURS.asker(NEAREST, {"x-forwarded-host": host}).host == host


@pytest.mark.parametrize(
    ("address", "crowd"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1:2::3", "2001:db8:0:1::/64"),
        ("::1", "::1"),
        ("a unix socket", "a unix socket"),
    ],
)
def test_limits_go_by_address_and_in_ipv6_by_household(address: str, crowd: str) -> None:
    assert crowd_of(address) == crowd
