"""Pictures of the page in its main states: `python -m tests.browser.screens [FOLDER]`."""

import asyncio
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.serving import Server

DOCS = Path(__file__).parents[2] / "docs"
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS: tuple[tuple[str, ViewportSize, bool], ...] = (
    ("light", DESKTOP, False),
    ("dark", DESKTOP, True),
    ("phone", PHONE, True),
)
README = {"light-approval": "screenshot.png", "phone-approval": "screenshot-phone.png"}
"""The two that the README shows."""


async def main(folder: Path | None) -> None:
    """All pictures into `folder`, or without one those of the README into docs/."""
    browser_path = shutil.which("chromium")
    if browser_path is None:
        sys.exit("The pictures need the Debian package `chromium`.")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch), "", model=("--model", "demo"))
        async with server, async_playwright() as playwright:
            chromium = playwright.chromium
            browser = await chromium.launch(executable_path=browser_path, args=flags)
            for look, size, dark in LOOKS:
                await Album(browser, server.url, look, size, dark, folder).make()
            await browser.close()


class Album:
    """The states of one look, in the order in which a newcomer meets them."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        look: str,
        size: ViewportSize,
        dark: bool,
        folder: Path | None,
    ) -> None:
        self._browser = browser
        self._url = url
        self._look = look
        self._size = size
        self._dark = dark
        self._folder = folder
        self._page: Page

    async def make(self) -> None:
        context = await self._browser.new_context(
            viewport=self._size,
            color_scheme="dark" if self._dark else "light",
            reduced_motion="reduce",
            is_mobile=self._size == PHONE,
            has_touch=self._size == PHONE,
            device_scale_factor=2,
        )
        self._page = await context.new_page()
        await self._welcome()
        await self._tour()
        if self._folder is not None:
            await self._others()
        await context.close()

    async def _welcome(self) -> None:
        await self._page.goto(f"{self._url}/#/new")
        await self._page.get_by_role("heading", name="keeps working").wait_for()
        await self._take("empty")

    async def _tour(self) -> None:
        page = self._page
        await page.get_by_role("button", name="Show me what you can do").click()
        question = page.get_by_role("region", name="Approval for bash")
        await question.wait_for()
        await page.locator(".hljs-built_in").last.wait_for()
        await self._take("approval")
        await question.get_by_role("button", name="Edit", exact=True).click()
        await question.get_by_role("textbox", name="command").fill("ls -l\nrm tour-1.sh")
        await self._take("edited")
        await question.get_by_role("button", name="Approve edited").click()
        await page.get_by_text("That was the tour").wait_for()
        await page.get_by_role("button", name="Copy answer").wait_for()
        await self._take("done")

    async def _others(self) -> None:
        page = self._page
        await self._say("markdown")
        await page.get_by_text("A quotation closes").wait_for()
        await page.get_by_role("button", name="Copy answer").wait_for()
        await self._take("markdown")
        await self._say("error")
        await page.get_by_text("This turn failed").wait_for()
        await self._take("error")
        await self._say("count")
        await page.get_by_text("second 3 of 60").first.wait_for()
        await self._say("And then tell me about boats")
        await page.get_by_role("region", name="Queued messages").wait_for()
        await self._take("queue")
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Continue").wait_for()
        await self._take("held")

    async def _say(self, text: str) -> None:
        await self._page.get_by_role("textbox", name="Message").fill(text)
        await self._page.get_by_role("button", name=re.compile("^(Send|Queue)$")).click()

    async def _take(self, state: str) -> None:
        name = f"{self._look}-{state}"
        if self._folder is not None:
            await self._page.screenshot(path=self._folder / f"{name}.png")
        elif name in README:
            await self._page.screenshot(path=DOCS / README[name])


if __name__ == "__main__":
    given = Path(sys.argv[1]) if sys.argv[1:] else None
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given))
