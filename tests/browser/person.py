"""A person at the page: what they do with it, and what their browser complained about."""

import re
from typing import Self

from playwright.async_api import ConsoleMessage, Locator, Page, expect

LOST = re.compile(
    r"WebSocket connection to|Failed to load resource: net::ERR_|ERR_CONNECTION"
    r"|status of 4(?:01|04|13)"
)
DROP = """([place, name]) => {
  const node = document.querySelector(place);
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['five eggs'], name));
  return ['dragover', 'drop'].every((type) =>
    !node.dispatchEvent(new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true})));
}"""
WATCH = """() => {
  window.violations = [];
  addEventListener('securitypolicyviolation', (event) =>
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
}"""

WHOLE = """async (entries) => {
  const pause = () => new Promise((done) => requestAnimationFrame(() => requestIdleCallback(done)));
  for (let known = null; known !== entries.textContent; await pause()) known = entries.textContent;
  return entries.textContent;
}"""

UP = """async (scroller, asked) => {
  const said = () => [...scroller.querySelectorAll('.bubble')].map((one) => one.textContent);
  for (; !said().includes(asked); await new Promise(requestAnimationFrame)) scroller.scrollTo(0, 0);
}"""


UNHURRIED = """() => {
  const real = window.setTimeout;
  window.setTimeout = (run, ms = 0, ...given) => real(run, 10 * ms, ...given);
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
        assert self._errors == [], self._errors
        assert await self.page.evaluate("() => window.violations") == []

    async def violations(self, count: int) -> list[str]:
        """What the policy forbade, once it is so much; the test wanted it, and it is forgotten."""
        await self.page.wait_for_function("(count) => window.violations.length >= count", arg=count)
        found: list[str] = await self.page.evaluate("() => window.violations.splice(0)")
        self._errors = [one for one in self._errors if "Trusted" not in one]
        return found

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def conversation(self) -> Locator:
        return self.page.get_by_role("region", name="Conversation", exact=True)

    @property
    def dock(self) -> Locator:
        """What stands below the conversation."""
        return self.page.locator(".dock")

    @property
    def welcome(self) -> Locator:
        return self.page.get_by_role("heading", name="keeps working")

    @property
    def queue(self) -> Locator:
        return self.page.get_by_role("region", name="Queued messages")

    @property
    def list(self) -> Locator:
        """The list of sessions."""
        return self.page.get_by_role("navigation", name="Sessions")

    @property
    def search(self) -> Locator:
        return self.page.get_by_role("searchbox")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def tool(self, name: str) -> Locator:
        """A tool's card: its name is followed by its state."""
        return self.page.get_by_role("article", name=re.compile(f"^{re.escape(name)}, "))

    def printed(self, tool: str = "bash") -> Locator:
        """What a tool has put out: its card shows the command too, before anything runs."""
        return self.tool(tool).get_by_role("group", name="Output")

    def cards(self, state: str) -> Locator:
        """Tool cards in a state, as the page says it."""
        return self.page.get_by_role("article", name=re.compile(f", {re.escape(state)}$"))

    def aside(self, text: str) -> Locator:
        """What the page says in its corner for a while; a screen reader hears it elsewhere."""
        return self.page.locator(".toast").filter(has_text=text)

    def question(self, tool: str = "bash") -> Locator:
        return self.page.get_by_role("region", name=f"Approval for {tool}")

    async def approve(self, tool: str = "bash") -> None:
        await self.question(tool).get_by_role("button", name="Approve").click()

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        if await self._has_touch():
            await self.page.locator(".composer [type=submit]").click()
        else:
            await self.field.press("Enter")

    async def reads(self, text: str) -> None:
        await expect(self.conversation).to_contain_text(text)

    async def menu(self, name: str) -> None:
        await self.button("More").click()
        await self.page.get_by_role("menuitem", name=name).click()

    async def sees_state(self, word: str) -> None:
        await expect(self.page.locator(".top .badge")).to_have_text(word)

    async def drops(self, name: str, place: str) -> bool:
        """A file, over a part of the page; whether the browser was kept from opening it."""
        await self.page.locator(place).first.wait_for()
        # Looked up in the step that drops: a part that comes late takes the place of its stand-in.
        return bool(await self.page.evaluate(DROP, [place, name]))

    async def transcript(self) -> str:
        """The conversation as text, also what is out of view and is drawn when there is time."""
        return str(await self.conversation.locator(".entries").first.evaluate(WHOLE))

    async def shows(self, transcript: str) -> None:
        """This and nothing else, once everything is drawn."""
        await expect(self.conversation.locator(".entries").first).to_have_text(transcript)
        assert await self.transcript() == transcript

    async def takes_their_time(self) -> None:
        """What the page does after a while it does ten times as late from now on: offers stay."""
        await self.page.evaluate(UNHURRIED)

    async def climb(self, asked: str) -> None:
        """Up, and up again when more has come, to where this was asked."""
        await self.conversation.evaluate(UP, asked)

    async def session(self) -> str:
        """The id of the session on screen."""
        await self.page.wait_for_url("**/#/s/*")
        return self.page.url.rsplit("/", 1)[1]

    async def _has_touch(self) -> bool:
        return bool(await self.page.evaluate("() => matchMedia('(pointer: coarse)').matches"))

    def _console(self, message: ConsoleMessage) -> None:
        lost = self._may_lose and LOST.search(message.text)
        if message.type in ("error", "warning") and not lost:
            self._errors.append(message.text)
