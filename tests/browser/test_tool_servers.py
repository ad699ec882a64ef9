"""Servers of tools with accounts: connected in the settings, used, and parted with."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Meet
from tests.fakes.mcp.members import Members
from tests.fakes.openid import OpenIDProvider
from tests.serving import Server
from tests.stories.conftest import overlay
from tests.stories.scene import StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_person_connects_a_server_in_the_settings_and_parts_with_it(
    tmp_path: Path, meet: Meet
) -> None:
    async with StoryModel() as model, OpenIDProvider() as provider, Members() as members:
        config = overlay({"oauth": provider.settings(), "mcp_servers": {"club": members.config}})
        arguments = ("--auth", "oauth")
        async with Server(tmp_path, model.url, config=config, arguments=arguments) as server:
            person = await meet(server.url, offline=True)
            await person.button("Log in").first.click()
            for does, then in (("Connect", "Disconnect"), ("Disconnect", "Connect")):
                await person.button("Account of Ada L.").click()
                await person.page.get_by_role("menuitem", name="Settings", exact=True).click()
                await person.page.get_by_role("button", name=f"{does} club", exact=True).click()
                if does == "Connect":
                    told = person.page.get_by_role("heading", name="It is connected")
                    await expect(told).to_be_visible()
                    await person.page.get_by_role("link", name="Mooring").click()
                    continue
                changed = person.page.get_by_role("button", name=f"{then} club", exact=True)
                await expect(changed).to_be_visible()
