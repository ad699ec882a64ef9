"""What users keep secret: opened for them alone, hidden before it is used, seen when changed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.errors import Refusal
from server.identity.keeper import Keeper
from server.identity.openid import Tokens
from server.identity.wallet import MOST_LOGINS, Wallet
from server.store.identities import SecretRow
from server.store.sqlite import SqliteStore

NOON = "2026-11-29T12:00:00.000Z"


class House:
    """A wallet on a store, and what it let be hidden; `now` is moved by hand."""

    def __init__(self, store: SqliteStore, folder: Path) -> None:
        self.store = store.identities
        self.hidden: list[tuple[str, str]] = []
        self.learnt = asyncio.Event()
        self.now = 1000.0
        self.keeper = Keeper(folder, self.store)
        self.wallet = self.another()

    def another(self) -> Wallet:
        """As of another process."""
        return Wallet(
            self.store,
            self.keeper,
            self._learn,
            timestamp=lambda: NOON,
            now=lambda: self.now,
        )

    def _learn(self, owner: str, values: Sequence[str]) -> None:
        self.hidden += [(owner, value) for value in values]
        self.learnt.set()


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(SqliteStore.open(tmp_path), tmp_path)


def tokens(access: str, expires: float | None = None) -> Tokens:
    return Tokens(access, None, None, expires, None)


async def test_each_has_what_they_keep(house: House) -> None:
    await house.wallet.set("ada", "KEY", "ada's own key")
    await house.wallet.set("bob", "KEY", "bob's own key")
    assert house.wallet.secret("ada", "KEY") == "ada's own key"
    assert house.wallet.secret("bob", "KEY") == "bob's own key"
    assert house.wallet.secret("eve", "KEY") is None
    assert house.wallet.names("ada") == ("KEY",)
    await house.wallet.set("ada", "KEY", "another of ada's")
    assert house.wallet.secret("ada", "KEY") == "another of ada's"
    assert [one.name for one in house.wallet.listed("ada")] == ["KEY"]


async def test_a_value_is_hidden_before_it_can_be_used_and_after_it_is_gone(house: House) -> None:
    setting = asyncio.create_task(house.wallet.set("ada", "KEY", "ada's own key"))
    while not house.hidden:
        assert house.wallet.secret("ada", "KEY") is None
        await asyncio.sleep(0)
    await setting
    assert await house.wallet.remove("ada", "KEY")
    assert not await house.wallet.remove("ada", "KEY")
    assert house.wallet.names("ada") == ()
    assert ("ada", "ada's own key") in house.hidden


async def test_what_another_process_changes_is_seen(house: House) -> None:
    other = house.another()
    await other.read()
    await house.wallet.set("ada", "KEY", "ada's own key")
    assert other.secret("ada", "KEY") is None
    house.learnt.clear()
    watching = asyncio.create_task(other.watch())
    async with asyncio.timeout(30):
        await house.learnt.wait()
        await other.read()  # which waits until the one that learnt has ended
    assert other.secret("ada", "KEY") == "ada's own key"
    watching.cancel()


async def test_one_that_was_moved_to_another_owner_or_name_does_not_open(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.wallet.set("ada", "KEY", "ada's own key")
    (row,) = await house.store.secrets()
    await house.store.set_secret(SecretRow("eve", "KEY", row.sealed, NOON), most=50)
    await house.store.set_secret(SecretRow("ada", "OTHER", row.sealed, NOON), most=50)
    await house.store.set_secret(SecretRow("ada", "BROKEN", b"nonsense", NOON), most=50)
    other = house.another()
    await other.read()
    assert (other.names("eve"), other.names("ada")) == ((), ("KEY",))
    assert "secret KEY of eve cannot be opened" in caplog.text
    assert "secret BROKEN of ada cannot be opened" in caplog.text


async def test_the_newest_login_whose_token_is_good_is_the_hub_token(house: House) -> None:
    assert house.wallet.hub("ada") is None
    house.wallet.bring("ada", "login_1", tokens("first token"))
    house.wallet.bring("ada", "login_2", tokens("second token", expires=2000))
    assert house.wallet.hub("ada") == "second token"
    house.now = 2000
    assert house.wallet.hub("ada") == "first token"
    house.wallet.bring("ada", "login_2", tokens("third token", expires=3000))
    assert house.wallet.hub("ada") == "third token"
    house.wallet.take("ada", "login_2")
    assert house.wallet.hub("ada") == "first token"
    house.wallet.take("ada", "login_1")
    house.wallet.take("ada", "login_1")
    assert house.wallet.hub("ada") is None
    assert {value for _, value in house.hidden} == {"first token", "second token", "third token"}


async def test_only_so_many_logins_of_a_user_are_remembered(house: House) -> None:
    for number in range(MOST_LOGINS + 1):
        house.wallet.bring("ada", f"login_{number}", tokens(f"token {number}"))
    for number in range(1, MOST_LOGINS + 1):
        house.wallet.take("ada", f"login_{number}")
    assert house.wallet.hub("ada") is None


@pytest.mark.parametrize(
    "value", ["seven77", "x" * 4097, " padded value", "a\0value of it", "\ud800" * 8]
)
async def test_what_could_not_be_hidden_is_not_kept(house: House, value: str) -> None:
    with pytest.raises(Refusal, match="A secret"):
        await house.wallet.set("ada", "KEY", value)
    assert house.wallet.names("ada") == ()
