"""The way out: public addresses only, whatever names, redirects and answers say."""

import asyncio
import gzip
import ipaddress
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from agent.errors import Problem
from agent.tools.egress import Egress, is_public
from tests.fakes.web import PUBLIC, Web


class Names(AbstractResolver):
    """Answers with the next of a name's addresses each time it is asked."""

    def __init__(self, **answers: list[str]) -> None:
        self._answers = answers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._answers[host.partition(".")[0]].pop(0)
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in address.split()
        ]

    async def close(self) -> None: ...


@pytest_asyncio.fixture
async def somewhere() -> AsyncIterator[Web]:
    async with Web() as server:
        yield server


def egress(resolver: AbstractResolver | None = None, **limits: float) -> Egress:
    return Egress(allow=(f"{PUBLIC}/32",), resolver=resolver, **limits)  # type: ignore[arg-type]


async def refusal(way: Egress, url: str) -> str:
    with pytest.raises(Problem) as refused:
        await way.request("GET", url)
    return refused.value.code


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254",
        "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::"]
)
def test_an_address_of_somebody_else_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8765/api/me", "http://[::1]/", "http://0.0.0.0/", "http://169.254.169.254/",
        "http://[::ffff:127.0.0.1]/", "http://localhost/", "http://2130706433/", "http://0x7f000001/",
        "http://127.1/",
    ],
)  # fmt: skip
async def test_what_is_inside_is_refused_however_it_is_written(url: str) -> None:
    assert await refusal(Egress(), url) == "not_public"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "file:///etc/passwd", "//example.org", "example.org", "http://", "",
        "http://ada:secret@example.org/", "http://[", "javascript:alert(1)", "http://a:99999999/",
    ],
)  # fmt: skip
async def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    assert await refusal(Egress(), url) == "bad_url"


async def test_a_page_is_fetched(somewhere: Web) -> None:
    answer = await egress().request("GET", somewhere.page("/a", "héllo"))
    assert (answer.status, answer.text(), answer.media_type) == (200, "héllo", "text/html")


async def test_redirects_are_followed_and_told(somewhere: Web) -> None:
    there = somewhere.page("/b", "here")
    answer = await egress().request("GET", somewhere.redirect("/a", "/b"))
    assert (answer.url, answer.text()) == (there, "here")


async def test_a_redirect_to_the_inside_is_refused_without_asking_there(somewhere: Web) -> None:
    async with Web("127.0.0.1") as inside:
        there = inside.page("/secret", "secret")
        assert await refusal(egress(), somewhere.redirect("/a", there)) == "not_public"
        assert inside.asked == []


async def test_a_name_that_changes_its_answer_is_looked_at_each_time(somewhere: Web) -> None:
    names = Names(rebound=[PUBLIC, "127.0.0.1"])
    host = f"http://rebound.test:{somewhere.port}"
    somewhere.redirect("/a", f"{host.replace('rebound', 'rebound.other')}/b")
    assert await refusal(egress(names), f"{host}/a") == "not_public"
    assert [request.path for request in somewhere.asked] == ["/a"]


async def test_one_address_inside_spoils_a_name() -> None:
    assert await refusal(egress(Names(mixed=["8.8.8.8 127.0.0.1"])), "http://mixed.test/") == (
        "not_public"
    )


async def test_a_redirect_that_goes_in_circles_ends(somewhere: Web) -> None:
    circle = somewhere.redirect("/a", "/a")
    assert await refusal(egress(), circle) == "too_many_redirects"
    assert len(somewhere.asked) == 6


async def test_headers_go_to_the_origin_that_they_are_for_and_no_other(somewhere: Web) -> None:
    async with Web() as other:
        there = other.page("/b", "")
        somewhere.redirect("/b", there)
        first = somewhere.redirect("/a", "/b")
        await egress().request("GET", first, headers={"X-Key": "k"})
        assert [r.headers.get("X-Key") for r in somewhere.asked] == ["k", "k"]
        assert other.asked[0].headers.get("X-Key") is None


async def test_a_body_is_read_up_to_the_limit(somewhere: Web) -> None:
    answer = await egress(max_bytes=1000).request("GET", somewhere.page("/a", "x" * 5000))
    assert (len(answer.body), answer.cut) == (1000, True)


async def test_a_bomb_is_inflated_no_further_than_the_limit(somewhere: Web) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    answer = await egress(max_bytes=1000).request("GET", somewhere.page("/a", bomb, coding="gzip"))
    assert (answer.body, answer.cut) == (b"0" * 1000, True)


async def test_what_is_compressed_is_read(somewhere: Web) -> None:
    url = somewhere.page("/a", gzip.compress(b"small"), coding="gzip")
    assert (await egress().request("GET", url)).text() == "small"


@pytest.mark.parametrize("coding", ["gzip", "compress"])
async def test_what_cannot_be_read_is_said_to_be_no_answer(coding: str, somewhere: Web) -> None:
    url = somewhere.page("/a", b"not compressed", coding=coding)
    assert await refusal(egress(), url) == "unreachable"


async def test_an_unknown_charset_is_read_all_the_same(somewhere: Web) -> None:
    url = somewhere.page("/a", "text", "text/plain; charset=klingon")
    assert (await egress().request("GET", url)).text() == "text"


async def test_a_server_that_says_nothing_is_left(somewhere: Web) -> None:
    async def silence(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("never")

    assert await refusal(egress(seconds=0.2), somewhere.serve("/a", silence)) == "timed_out"


async def test_nobody_there_is_said() -> None:
    with socket.socket() as taken:
        taken.bind((PUBLIC, 0))
        url = f"http://{PUBLIC}:{taken.getsockname()[1]}/"
        assert await refusal(egress(), url) == "unreachable"


async def test_a_name_without_an_address_is_unreachable() -> None:
    class Nobody(Names):
        async def resolve(self, *_: object, **__: object) -> list[ResolveResult]:
            raise OSError("no such name")

    assert await refusal(egress(Nobody()), "http://nobody.test/") == "unreachable"
    assert issubclass(aiohttp.ClientConnectorDNSError, aiohttp.ClientConnectorError)
