"""A server where people log in: who is at a browser is what the provider says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.person import Person
from tests.fakes.openid import OpenIDProvider
from tests.serving import Server
from tests.stories.conftest import overlay
from tests.stories.scene import StoryModel

NAMES = {"ada": "Ada L.", "bob": "Bob"}


@dataclass(frozen=True)
class Club:
    """A server where people log in, its model, and the provider that vouches for them."""

    server: Server
    model: StoryModel
    provider: OpenIDProvider

    @property
    def url(self) -> str:
        return self.server.url

    async def log_in(self, person: Person, who: str = "ada") -> None:
        self.provider.who = who
        place = person.page.url
        await person.button("Log in").first.click()
        account = person.button(f"Account of {NAMES[who]}")
        if "#/join/" in person.url:
            # On a phone the session that it leads to has the whole page, and no account on it.
            account = account.or_(person.button("More")).first
        await expect(account).to_be_visible()
        # Whether there are sessions decides on a phone what is on screen, and where the account is.
        await expect(person.page.get_by_text("Loading your sessions")).to_have_count(0)
        if "#/join/" not in person.url:
            await person.page.wait_for_url(place)  # it is back where it was a little later


@pytest_asyncio.fixture(loop_scope="session")
async def club(tmp_path: Path) -> AsyncIterator[Club]:
    async with StoryModel() as model, OpenIDProvider() as provider:
        config = overlay({"oauth": provider.settings()})
        arguments = ("--auth", "oauth")
        async with Server(tmp_path, model.url, config=config, arguments=arguments) as server:
            yield Club(server, model, provider)
