"""Where people log in at a provider: the way in, back to where they were, and out again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import House, Meet
from tests.fakes.openid import OpenIDProvider
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
ENDED_ELSEWHERE = """() => fetch('/api/logout', {method: 'POST', body: '{"everywhere": true}',
  headers: {'Content-Type': 'application/json'}}).then((answer) => answer.status)"""


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(tmp_path: Path) -> AsyncIterator[House]:
    async with OpenIDProvider() as provider, StoryModel() as model:
        provider.asks_first = True
        config = {**CONFIG, "oauth": provider.settings()}
        arguments = ("--auth", "oauth")
        async with Server(tmp_path, model.url, config=config, arguments=arguments) as server:
            yield House(server, model)


async def test_a_stranger_is_led_in_and_out_again(guarded: House, meet: Meet) -> None:
    person = await meet(guarded.url, offline=True)
    await expect(person.dock).to_contain_text("Log in to begin.")
    await expect(person.list).to_contain_text("You are not logged in")
    await expect(person.field).to_be_disabled()
    await person.page.get_by_role("link", name="Log in", exact=True).click()
    await person.page.get_by_role("link", name="Yes, I am Ada").click()
    await expect(person.list).to_contain_text("Ada L.")
    await person.say("Hello")
    await person.reads(DONE)
    await person.button("Log out").click()
    await expect(person.dock).to_contain_text("Log in to begin.")


async def test_a_log_in_that_ends_under_a_page_leads_back_to_where_one_was(
    guarded: House, meet: Meet
) -> None:
    person = await meet(guarded.url, offline=True)
    await person.page.get_by_role("link", name="Log in", exact=True).click()
    await person.page.get_by_role("link", name="Yes, I am Ada").click()
    await person.say("Hello")
    await person.reads(DONE)
    address = person.page.url
    await person.field.fill("Half a thought")
    assert await person.page.evaluate(ENDED_ELSEWHERE) == 200
    await expect(person.dock).to_contain_text("Your log-in is no longer valid. Log in again")
    await person.dock.get_by_role("link", name="Log in", exact=True).click()
    await person.page.get_by_role("link", name="Yes, I am Ada").click()
    await person.page.wait_for_url(address)
    await person.reads(DONE)
    await expect(person.field).to_have_value("Half a thought")
