"""A person at the page: what they do with it, and what their browser complained about."""

import re
from typing import Any, Self

from playwright.async_api import ConsoleMessage, Locator, Page, expect

LOST = re.compile(r"WebSocket connection to|Failed to load resource: net::ERR_|ERR_CONNECTION")
WATCH = """() => {
  window.violations = [];
  addEventListener('securitypolicyviolation', (event) =>
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
}"""


class Person:
    """Finds things as a person does: by role and name, never by structure where words are there."""

    def __init__(self, url: str, page: Page, *, may_lose_connection: bool) -> None:
        self.url = url
        self.page = page
        self._may_lose = may_lose_connection
        self._errors: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._errors.append(str(error)))

    async def begin(self) -> Self:
        await self.page.add_init_script(f"({WATCH})()")
        await self.page.goto(self.url)
        return self

    async def saw_no_error(self) -> None:
        assert self._errors == []
        assert await self.page.evaluate("() => window.violations") == []

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def conversation(self) -> Locator:
        return self.page.locator(".entries").first

    @property
    def dock(self) -> Locator:
        return self.page.locator(".dock")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def tool(self, name: str) -> Locator:
        return self.page.locator(".tool", has=self.page.get_by_text(name, exact=True))

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def reads(self, text: str) -> None:
        await expect(self.conversation).to_contain_text(text)

    async def menu(self, name: str) -> None:
        await self.page.locator(".menu > summary").click()
        await self.page.get_by_role("menuitem", name=name).click()

    async def sees_state(self, word: str) -> None:
        await expect(self.page.locator(".top .badge")).to_have_text(word)

    async def transcript(self) -> str:
        """The conversation as text, also what is out of view and therefore not rendered."""
        return await self.conversation.text_content() or ""

    async def run(self, module: str, script: str, argument: Any = None) -> Any:
        """`script` is a function (module, argument) in the page."""
        function = f"async (argument) => ({script})(await import('{module}'), argument)"
        return await self.page.evaluate(function, argument)

    def _console(self, message: ConsoleMessage) -> None:
        lost = self._may_lose and LOST.search(message.text)
        if message.type in ("error", "warning") and not lost:
            self._errors.append(message.text)
