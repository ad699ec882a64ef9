"""Log-ins: how long they are good, what ends them, and that nobody's are another's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.errors import Refusal
from server.identity.admission import Visitor
from server.identity.logins import MOST_PER_USER, Logins
from server.identity.openid import Tokens
from server.identity.vault import Vault
from server.store.sqlite import SqliteStore

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ISSUER = "https://idp.example"
ADA = Visitor("account-1", "ada", "Ada L.", "user")


class Purse:
    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def bring(self, user: str, login: str, tokens: Tokens) -> None:
        self.held[user, login] = tokens.access

    def take(self, user: str, login: str) -> None:
        self.held.pop((user, login), None)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def today(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)


class House:
    def __init__(self, store: SqliteStore, vault: Vault) -> None:
        self.store = store.identities
        self.vault = vault
        self.clock = Clock()
        self.purse = Purse()
        self.logins = self.by("the policy")

    def by(self, policy: str) -> Logins:
        return Logins(
            self.store,
            self.vault,
            ISSUER,
            policy,
            days=30,
            purse=self.purse,
            clock=self.clock,
            today=self.clock.today,
        )

    def tokens(self, access: str = "access", lifetime: float | None = None) -> Tokens:
        expires = None if lifetime is None else self.clock.today().timestamp() + lifetime
        return Tokens(access, "refresh", "id", expires, "openid")


@pytest.fixture
async def house(tmp_path: Path) -> House:
    store = SqliteStore.open(tmp_path)
    return House(store, await Vault.begin(tmp_path, store.identities))


async def test_a_login_is_good_for_its_days(house: House) -> None:
    id = await house.logins.begin(ADA, house.tokens())
    house.clock.seconds = 30 * 86_400 - 1
    login = await house.logins.current(id)
    assert login is not None
    assert (login.user, login.name, login.role) == ("ada", "Ada L.", "user")
    assert await house.logins.lost([id, "login_x"]) == {"login_x"}
    house.clock.seconds = 30 * 86_400
    assert await house.logins.current(id) is None
    assert await house.logins.lost([id]) == {id}


async def test_what_the_provider_gave_is_sealed_and_can_be_read_by_us(house: House) -> None:
    given = house.tokens("the access token", lifetime=3600)
    id = await house.logins.begin(ADA, given)
    (row,) = await house.store.logins()
    assert b"the access token" not in row.sealed
    assert await house.logins.tokens(id) == given
    assert await house.logins.tokens("login_x") is None


async def test_one_that_ended_is_over_at_once_here_and_soon_elsewhere(house: House) -> None:
    other = house.by("the policy")
    id = await house.logins.begin(ADA, house.tokens())
    assert await other.current(id) is not None
    await house.logins.end(id, "ada")
    assert await house.logins.current(id) is None
    house.clock.seconds = 0.999
    assert await other.current(id) is None
    assert house.purse.held == {}


async def test_everywhere_is_everywhere_and_nobody_elses(house: House) -> None:
    ids = [await house.logins.begin(ADA, house.tokens()) for _ in range(3)]
    bob = Visitor("account-2", "bob", "Bob", "user")
    his = await house.logins.begin(bob, house.tokens())
    assert await house.logins.end_all("ada") == 3
    assert await house.logins.lost([*ids, his]) == set(ids)
    assert list(house.purse.held) == [("bob", his)]


async def test_another_policy_knows_none_of_them(house: House) -> None:
    id = await house.logins.begin(ADA, house.tokens())
    other = house.by("another policy")
    assert await other.current(id) is None
    assert await other.lost([id]) == {id}
    house.purse.held.clear()
    await other.begin_telling()
    assert house.purse.held == {}
    await house.logins.begin_telling()
    assert house.purse.held == {("ada", id): "access"}


async def test_the_oldest_beyond_so_many_ends(house: House) -> None:
    ids = []
    for house.clock.seconds in range(MOST_PER_USER + 1):
        ids.append(await house.logins.begin(ADA, house.tokens()))
    assert await house.logins.lost(ids) == {ids[0]}


async def test_a_name_is_one_accounts_and_an_account_has_one_name(house: House) -> None:
    await house.logins.begin(ADA, house.tokens())
    assert await house.logins.known_as("account-1") == "ada"
    assert await house.logins.known_as("account-2") is None
    for visitor in (
        Visitor("account-2", "ada", "", "user"),
        Visitor("account-1", "eve", "", "user"),
    ):
        with pytest.raises(Refusal) as refusal:
            await house.logins.begin(visitor, house.tokens())
        assert refusal.value.code == "not_admitted"


@pytest.mark.parametrize(("lifetime", "due_after"), [(3600, 3300), (60, 30), (0, 0)])
async def test_tokens_are_due_some_time_before_they_end(
    house: House, lifetime: float, due_after: float
) -> None:
    id = await house.logins.begin(ADA, house.tokens(lifetime=lifetime))
    house.clock.seconds = due_after - 0.1
    assert await house.logins.due(10) == ()
    house.clock.seconds = due_after
    (row,) = await house.logins.due(10)
    assert row.id == id
    await house.logins.renewed(row, house.tokens("renewed", lifetime=3600))
    assert await house.logins.due(10) == ()
    assert house.purse.held == {("ada", id): "renewed"}
    found = await house.logins.tokens(id)
    assert found is not None
    assert found.access == "renewed"


async def test_what_nobody_can_renew_is_never_due(house: House) -> None:
    await house.logins.begin(ADA, Tokens("a", None, None, NOON.timestamp() + 60, None))
    await house.logins.begin(ADA, Tokens("a", "r", None, None, None))
    house.clock.seconds = 86_400
    assert await house.logins.due(10) == ()


async def test_a_renewal_that_comes_after_the_end_brings_nothing_back(house: House) -> None:
    id = await house.logins.begin(ADA, house.tokens(lifetime=60))
    house.clock.seconds = 40
    (row,) = await house.logins.due(10)
    await house.logins.end(id, "ada")
    await house.logins.renewed(row, house.tokens("renewed", lifetime=60))
    assert await house.logins.current(id) is None
    assert house.purse.held == {}
