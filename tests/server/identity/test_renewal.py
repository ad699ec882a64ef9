"""Renewal: in time, once at a time, and what becomes of log-ins that cannot be renewed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from server.identity.admission import Visitor
from server.identity.logins import Logins
from server.identity.openid import OpenID, Tokens
from server.identity.provider_calls import Calls, Unreachable
from server.identity.renewal import Renewal
from server.identity.vault import Vault
from server.login_settings import LoginSettings
from server.store.sqlite import SqliteStore
from tests.fakes.openid import CLIENT, SECRET, Given, OpenIDProvider


class House:
    def __init__(self, logins: Logins, renewal: Renewal, provider: OpenIDProvider) -> None:
        self.logins = logins
        self.renewal = renewal
        self.provider = provider

    async def begin(self, user: str, refresh: str | None) -> str:
        """A log-in whose tokens end now."""
        if refresh is not None:
            asked = {"scope": "openid", "nonce": "n"}
            self.provider._refresh[refresh] = Given(user, asked)
        ends = datetime.now(UTC).timestamp()
        tokens = Tokens(f"access of {user}", refresh, None, ends, None)
        return await self.logins.begin(Visitor(f"account-of-{user}", user, user, "user"), tokens)

    async def access(self, id: str) -> str | None:
        tokens = await self.logins.tokens(id)
        return None if tokens is None else tokens.access


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = SqliteStore.open(tmp_path)
    vault = await Vault.begin(tmp_path, store.identities)
    async with OpenIDProvider() as provider, aiohttp.ClientSession() as http:
        settings = LoginSettings(client_id=CLIENT, client_secret=SECRET, issuer=provider.url)
        logins = Logins(store.identities, vault, provider.url, "policy", days=30)
        yield House(logins, Renewal(logins, OpenID(settings, Calls(http, settings))), provider)
    await store.close()


async def test_what_is_due_is_renewed_and_nothing_twice(house: House) -> None:
    ada, bob = await house.begin("ada", "first"), await house.begin("bob", "second")
    await house.renewal.once()
    assert {await house.access(ada), await house.access(bob)} == set(house.provider.access)
    await house.renewal.once()
    assert len(house.provider.seen["token"]) == 2


async def test_a_grant_that_is_gone_ends_its_login_and_no_other(house: House) -> None:
    ada, bob = await house.begin("ada", "first"), await house.begin("bob", "second")
    house.provider.revoked.add("ada")
    await house.renewal.once()
    assert await house.logins.lost([ada, bob]) == {ada}
    assert await house.access(bob) in house.provider.access


async def test_a_provider_that_cannot_be_asked_ends_none(house: House) -> None:
    ada = await house.begin("ada", "first")
    house.provider.fail("token", 503)
    with pytest.raises(Unreachable):
        await house.renewal.once()
    house.provider.answers.clear()
    await house.renewal.once()
    assert await house.access(ada) in house.provider.access


async def test_one_that_is_refused_for_another_reason_waits_and_holds_up_nobody(
    house: House,
) -> None:
    ada, bob = await house.begin("ada", "first"), await house.begin("bob", "second")
    house.provider.fail("token", 400, b'{"error": "temporarily_strange"}')
    await house.renewal.once()
    house.provider.answers.clear()
    assert await house.logins.lost([ada, bob]) == frozenset()
    assert await house.logins.due(10) == ()
    assert len(house.provider.seen["token"]) == 2
