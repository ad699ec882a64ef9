"""Rates and counts a user may have."""

import pytest

from agent.errors import Refused
from server.config import Limits
from server.errors import Refusal
from server.proxies import Proxies
from server.sessions.quotas import (
    MOST_BUCKETS,
    USERS_OF_AN_ADDRESS,
    Addresses,
    Buckets,
    Connections,
    Rates,
)
from tests.server.sessions.house import HandTime


def taken(buckets: Buckets, user: str = "ada") -> int:
    """How many tokens there are in a row."""
    count = 0
    try:
        while True:
            buckets.take(user)
            count += 1
    except Refused:
        return count


def test_a_bucket_holds_a_minutes_worth_and_no_more() -> None:
    time = HandTime()
    buckets = Buckets(240, time)
    assert taken(buckets) == 240
    time.now += 3600
    assert taken(buckets) == 240


def test_a_bucket_is_refilled_evenly() -> None:
    time = HandTime()
    buckets = Buckets(60, time)
    taken(buckets)
    for seconds, tokens in ((0.5, 0), (0.5, 1), (10, 10), (0.9, 0), (0.2, 1)):
        time.now += seconds
        assert taken(buckets) == tokens


def test_a_refusal_says_how_long_to_wait_and_that_is_enough() -> None:
    time = HandTime()
    buckets = Buckets(10, time)
    taken(buckets)
    with pytest.raises(Refused) as refused:
        buckets.take("ada")
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 6)
    time.now += 6
    buckets.take("ada")


def test_what_one_user_takes_is_not_taken_from_another() -> None:
    buckets = Buckets(5, HandTime())
    taken(buckets, "ada")
    assert taken(buckets, "bob") == 5


def test_what_is_given_back_can_be_taken_again_and_no_bucket_overflows() -> None:
    buckets = Buckets(2, HandTime())
    buckets.take("ada")
    for _ in range(3):
        buckets.give_back("ada")
    assert taken(buckets, "ada") == 2
    buckets.give_back("nobody")
    assert taken(buckets, "nobody") == 2


def test_full_buckets_are_forgotten_when_there_are_many_and_the_others_kept() -> None:
    time = HandTime()
    buckets = Buckets(60, time)
    for number in range(MOST_BUCKETS):
        buckets.take(f"u{number}")
    time.now += 10
    assert taken(buckets, "ada") == 60
    assert len(buckets._left) <= 2, "the others are full again"
    assert taken(buckets, "ada") == 0


def test_connections_are_counted_while_they_are_open() -> None:
    connections = Connections(2, 10)
    with connections.one_more("ada", "192.0.2.1"):
        with connections.one_more("ada", "192.0.2.1"):
            with pytest.raises(Refusal) as refused, connections.one_more("ada", "192.0.2.2"):
                raise AssertionError
            assert (refused.value.status, refused.value.code) == (429, "too_many_connections")
            with connections.one_more("bob", "192.0.2.1"):
                pass
        with connections.one_more("ada", "192.0.2.1"):
            pass
    assert not connections.open


def test_an_address_has_so_many_connections_whoever_they_are() -> None:
    connections = Connections(2, 2)
    with connections.one_more("ada", "192.0.2.1"), connections.one_more("bob", "192.0.2.1"):
        with pytest.raises(Refusal) as refused:
            connections.one_more("cid", "192.0.2.1")
        assert refused.value.message == "Your address has 2 of 2 connections."
        with connections.one_more("cid", "192.0.2.2"):
            pass
    assert not connections.open


def test_a_trusted_proxy_connects_for_many() -> None:
    addresses = Addresses(1, Proxies(["192.0.2.9"]))
    with addresses.enter("192.0.2.9"), addresses.enter("192.0.2.9"), addresses.enter("192.0.2.1"):
        with pytest.raises(Refusal):
            addresses.enter("192.0.2.1")
        with addresses.enter("2001:db8::1"), pytest.raises(Refusal):
            addresses.enter("2001:db8::2")
    with addresses.enter("192.0.2.1"):
        pass


def test_rates_are_those_of_a_user_and_of_an_address() -> None:
    rates = Rates(Limits(handshakes_per_minute=1, failures_per_minute=1), HandTime())
    for number in range(USERS_OF_AN_ADDRESS):
        rates.handshake(f"u{number}", "192.0.2.1")
    for user, address in (("u0", "192.0.2.2"), ("u9", "192.0.2.1")):
        with pytest.raises(Refused) as refused:
            rates.handshake(user, address)
        assert refused.value.code == "rate_limited"
        assert "connections in a minute" in refused.value.message
    rates.failure("192.0.2.1")
    with pytest.raises(Refused, match=r"^More than 1 failed log-ins in a minute\. Wait 60 s\.$"):
        rates.failure("192.0.2.1")
    rates.failure("192.0.2.2")


def test_who_logs_in_is_counted_by_address() -> None:
    rates = Rates(Limits(logins_per_minute=2), HandTime())
    for _ in range(2):
        rates.login("192.0.2.1")
    with pytest.raises(Refused, match=r"^More than 2 log-in requests in a minute\. Wait 30 s\.$"):
        rates.login("192.0.2.1")
    rates.login("192.0.2.2")
