"""The gate: whose a request is, and whether its origin and host may ask at all."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from agent.errors import Problem
from agent.loopback import is_loopback
from server.errors import Refusal
from server.identity.gate import DEV, Gate
from server.identity.proofs import Bearer
from server.identity.tokens import Tokens
from server.people import AuthMethod, User
from server.store.port import Token

OWN = "127.0.0.1:8765"


class TokenList:
    """A store of tokens that is a list; `failures` reads of it fail first."""

    def __init__(self) -> None:
        self.kept: list[Token] = []
        self.failures = 0
        self.reads = 0

    async def add_token(self, token: Token) -> None:
        self.kept.append(token)

    async def tokens(self) -> tuple[Token, ...]:
        self.reads += 1
        if self.failures:
            self.failures -= 1
            raise Problem("unavailable", "The disk is busy.")
        return tuple(self.kept)

    async def revoke_token(self, token: str) -> bool:
        left = [kept for kept in self.kept if kept.id != token]
        self.kept, gone = left, len(left) < len(self.kept)
        return gone


def gate(mode: AuthMethod = "token", *origins: str, any_host: bool = False) -> Gate:
    return Gate(mode, [Bearer(Tokens(TokenList()))], allowed_origins=origins, any_host=any_host)


def request(method: str = "GET", host: str = OWN, **headers: str) -> web.Request:
    return make_mocked_request(method, "/api/me", headers={"Host": host, **headers})


def refused(by: Gate, what: web.Request) -> str | None:
    """The status and the code of its refusal."""
    try:
        by.check(what)
    except Refusal as refusal:
        return f"{refusal.status} {refusal.code}"
    return None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example", False),
        ("2130706433", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_everything_else(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("localhost:8765", None),
        ("[::1]:8765", None),
        ("[::1]", None),
        ("127.0.0.1", None),
        ("evil.example:8765", "403 forbidden_host"),
        ("[::2]:1", "403 forbidden_host"),
        ("[::1", None),
        ("", "403 forbidden_host"),
        ("localhost@evil.example", "403 forbidden_host"),
    ],
)
def test_in_dev_mode_a_host_that_is_not_loopback_is_refused(host: str, code: str | None) -> None:
    assert refused(gate("dev"), request(host=host)) == code
    assert refused(gate("dev", any_host=True), request(host=host)) is None
    assert refused(gate("token"), request(host=host)) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT"])
@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (f"http://{OWN}", None),
        (f"https://{OWN}", None),
        ("https://page.example", None),
        ("HTTPS://PAGE.EXAMPLE/", None),
        ("http://page.example", "403 forbidden_origin"),
        ("http://127.0.0.1:1", "403 forbidden_origin"),
        ("http://127.0.0.1", "403 forbidden_origin"),
        (f"ftp://{OWN}", "403 forbidden_origin"),
        (f"http://x@{OWN}", "403 forbidden_origin"),
        ("null", "403 forbidden_origin"),
        ("", "403 forbidden_origin"),
        ("http://[", "403 forbidden_origin"),
    ],
)
def test_a_strange_origin_may_change_nothing(method: str, origin: str, code: str | None) -> None:
    for mode in ("dev", "token"):
        guard = gate(mode, "https://page.example/")
        assert refused(guard, request(method, Origin=origin)) == code


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_strange_origin_may_read_but_not_upgrade(method: str) -> None:
    evil = {"Origin": "http://evil.example"}
    assert refused(gate(), request(method, **evil)) is None
    assert refused(gate(), request(method, **evil, Upgrade="websocket")) == "403 forbidden_origin"
    assert refused(gate(), request(method, Upgrade="websocket")) is None


async def test_in_dev_mode_everybody_is_the_developer() -> None:
    assert await gate("dev").who(request()) == DEV


async def test_a_token_says_who_and_what_one_is() -> None:
    tokens = Tokens(TokenList())
    guard = Gate("token", [Bearer(tokens)])
    for name, role in (("ada", "user"), ("eve", "operator")):
        secret = await tokens.create(name, "operator" if role == "operator" else "user")
        for written in (f"Bearer {secret}", f"bearer  {secret} "):
            who = await guard.who(request(Authorization=written))
            assert (who.id, who.role, who.via) == (name, role, "token")
            assert who.token == secret.split("_")[1]


@pytest.mark.parametrize("shown", [None, "", "Bearer", "Bearer nonsense", "Basic YWRhOng="])
async def test_without_a_valid_token_nobody_is_anybody(shown: str | None) -> None:
    headers = {} if shown is None else {"Authorization": shown}
    with pytest.raises(Refusal) as refusal:
        await gate().who(request(**headers))
    assert (refusal.value.status, refusal.value.code) == (401, "unauthorized")


async def test_a_token_in_another_scheme_is_none() -> None:
    tokens = Tokens(TokenList())
    secret = await tokens.create("ada")
    with pytest.raises(Refusal):
        await Gate("token", [Bearer(tokens)]).who(request(Authorization=f"Basic {secret}"))


async def user_of(tokens: Tokens, name: str) -> User:
    secret = await tokens.create(name)
    return await Gate("token", [Bearer(tokens)]).who(request(Authorization=f"Bearer {secret}"))


async def test_what_came_with_a_token_is_parted_with_when_it_is_revoked() -> None:
    store = TokenList()
    tokens = Tokens(store)
    guard, told = Gate("token", [Bearer(tokens)]), asyncio.Event()
    ada, bob = await user_of(tokens, "ada"), await user_of(tokens, "bob")
    calls: list[str] = []
    watching = asyncio.create_task(guard.watch())
    with (
        guard.watched(ada, lambda: calls.append("ada")),
        guard.watched(ada, told.set),
        guard.watched(bob, lambda: calls.append("bob")),
        guard.watched(DEV, lambda: calls.append("dev")),
    ):
        store.failures = 1
        await store.revoke_token(ada.token or "")
        async with asyncio.timeout(30):
            await told.wait()
        assert set(calls) == {"ada"}
    watching.cancel()
    assert guard._connections == {}


async def test_a_token_that_expires_is_parted_with_too() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    tokens = Tokens(TokenList(), today=lambda: now)
    guard, told = Gate("token", [Bearer(tokens)]), asyncio.Event()
    ada = await user_of(tokens, "ada")
    watching = asyncio.create_task(guard.watch())
    with guard.watched(ada, told.set):
        now = datetime(2027, 1, 1, tzinfo=UTC)
        async with asyncio.timeout(30):
            await told.wait()
    watching.cancel()
    assert told.is_set()
