"""A person logs in at a provider with a real browser, works, and logs out again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Meet
from tests.fakes.openid import OpenIDProvider
from tests.model_server import Reply
from tests.serving import Server
from tests.stories.conftest import overlay
from tests.stories.scene import StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LOG_OUT = """async () => {
  const asks = {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'};
  return (await (await fetch('/api/logout', asks)).json()).redirect;
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[OpenIDProvider]:
    async with OpenIDProvider() as provider:
        provider.asks_first = True
        yield provider


async def test_one_logs_in_works_and_logs_out(
    meet: Meet, provider: OpenIDProvider, tmp_path: Path
) -> None:
    config = overlay({"oauth": provider.settings()})
    how = ["--auth", "oauth"]
    async with (
        StoryModel() as model,
        Server(tmp_path, model.url, config=config, arguments=how) as server,
    ):
        model.play(Reply(text="Good to see you, Ada."))
        model.play_plain(Reply(text="A greeting"))
        ada = await meet(f"{server.url}/login", offline=True)  # it is refused at the end
        await ada.page.get_by_role("link", name="Yes, I am Ada").click()
        await expect(ada.field).to_be_visible()
        await ada.field.fill("It is me.")
        await ada.field.press("Enter")
        await expect(ada.conversation.get_by_text("Good to see you, Ada.")).to_be_visible()
        (cookie,) = await ada.page.context.cookies(server.url)
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        assert await ada.page.evaluate("document.cookie") == ""

        away = await ada.page.evaluate(LOG_OUT)
        await ada.page.goto(away)
        assert await ada.page.context.cookies(server.url) == []
        asked = await ada.page.request.get(f"{server.url}/api/me")
        assert asked.status == 401
        assert (await asked.json())["error"]["login"] == "/login"
