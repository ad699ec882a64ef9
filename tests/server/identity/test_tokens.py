"""Tokens: made once, verified in constant time, refused when revoked, expired or unknown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from agent.errors import ConfigProblem
from server.identity.tokens import Tokens
from server.store.port import Token

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class MemoryStore:
    """The token methods of a store; `during_read` runs inside the next read, after its snapshot."""

    def __init__(self) -> None:
        self.kept: dict[str, Token] = {}
        self.reads = 0
        self.during_read: Callable[[], None] = lambda: None

    async def add_token(self, token: Token) -> None:
        self.kept[token.id] = token

    async def tokens(self) -> tuple[Token, ...]:
        self.reads += 1
        snapshot = tuple(self.kept.values())
        self.during_read()
        return snapshot

    async def revoke_token(self, token: str) -> bool:
        return self.kept.pop(token, None) is not None


class Clock:
    """A calendar and a stopwatch that stand still until they are moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def today(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def tokens(store: MemoryStore, clock: Clock) -> Tokens:
    return Tokens(store, clock=clock, today=clock.today)


async def test_a_token_is_verified_as_its_user_and_role(tokens: Tokens) -> None:
    secret = await tokens.create("ada", "operator")
    token = await tokens.verify(secret)
    assert token is not None
    assert (token.user, token.role) == ("ada", "operator")
    assert secret.startswith(f"mooring_{token.id}_")


async def test_only_a_hash_of_the_secret_is_stored(tokens: Tokens, store: MemoryStore) -> None:
    secret = await tokens.create("ada")
    assert secret.rpartition("_")[2].encode() not in repr(store.kept).encode()
    assert len(next(iter(store.kept.values())).hash) == 32


async def test_a_token_names_its_days(tokens: Tokens) -> None:
    await tokens.create("ada", days=2)
    (token,) = await tokens.listed()
    assert token.created_at == "2026-11-20T12:00:00.000Z"
    assert token.expires_at == "2026-11-22T12:00:00.000Z"


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "mooring_",
        "mooring_000000000000_" + "0" * 64,
        "mooring_\N{DIGIT ZERO}\N{SNOWMAN}_" + "0" * 64,
        "Bearer x",
    ],
)
async def test_what_was_never_made_is_nobodys(tokens: Tokens, presented: str) -> None:
    await tokens.create("ada")
    assert await tokens.verify(presented) is None


async def test_the_right_id_with_another_secret_is_nobodys(tokens: Tokens) -> None:
    secret = await tokens.create("ada")
    other = await tokens.create("bob")
    mixed = secret.rpartition("_")[0] + "_" + other.rpartition("_")[2]
    assert await tokens.verify(mixed) is None


async def test_an_expired_token_is_nobodys(tokens: Tokens, clock: Clock) -> None:
    secret = await tokens.create("ada", days=1)
    clock.seconds = 24 * 3600 - 0.001
    assert await tokens.verify(secret) is not None
    clock.seconds = 24 * 3600
    assert await tokens.verify(secret) is None


async def test_a_revoked_token_is_refused_at_once(tokens: Tokens) -> None:
    secret = await tokens.create("ada")
    token = await tokens.verify(secret)
    assert token is not None
    assert await tokens.revoke(token.id)
    assert await tokens.verify(secret) is None
    assert not await tokens.revoke(token.id)


async def test_what_another_process_revokes_is_refused_within_a_second(
    tokens: Tokens, store: MemoryStore, clock: Clock
) -> None:
    secret = await tokens.create("ada")
    assert await tokens.verify(secret) is not None
    store.kept.clear()
    clock.seconds = 0.999
    assert await tokens.verify(secret) is None


async def test_what_another_process_makes_is_known_within_a_second(
    tokens: Tokens, store: MemoryStore, clock: Clock
) -> None:
    assert await tokens.verify("mooring_x") is None
    secret = await Tokens(store, today=clock.today).create("ada")
    clock.seconds = 0.999
    assert await tokens.verify(secret) is not None


async def test_many_requests_share_one_read(tokens: Tokens, store: MemoryStore) -> None:
    secret = await tokens.create("ada")
    for _ in range(100):
        assert await tokens.verify(secret) is not None
    assert store.reads == 1


async def test_a_token_revoked_while_the_tokens_are_read_is_not_remembered(
    tokens: Tokens, store: MemoryStore
) -> None:
    secret = await tokens.create("ada")
    (token,) = store.kept.values()
    revoking = tokens.revoke(token.id)

    def revoke_now() -> None:
        store.during_read = lambda: None
        with pytest.raises(StopIteration):
            revoking.send(None)

    store.during_read = revoke_now
    await tokens.verify(secret)
    assert await tokens.verify(secret) is None


@pytest.mark.parametrize("user", ["", "mooring", "a b", "a\n", "ä", "-a", "a" * 65])
async def test_a_name_that_cannot_be_a_user_is_refused(tokens: Tokens, user: str) -> None:
    with pytest.raises(ConfigProblem, match="cannot be a user"):
        await tokens.create(user)


@pytest.mark.parametrize("days", [0, -1, 3651])
async def test_a_token_lasts_neither_no_time_nor_for_ever(tokens: Tokens, days: int) -> None:
    with pytest.raises(ConfigProblem, match=f"not {days}"):
        await tokens.create("ada", days=days)
