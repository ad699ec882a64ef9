"""On a phone, all that a finger presses is 44 px wide and high, except links amid words."""

from typing import Any

import pytest
from playwright.async_api import FilePayload, expect

from tests.api import Api
from tests.browser.club import Club
from tests.browser.conftest import House, Meet
from tests.browser.person import Person
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SMALL = """() => {
  const bare = (node) => node.textContent.trim();
  const amidWords = (node) => node.matches('a') && (node.closest('.text')
    || getComputedStyle(node).display === 'inline' && bare(node.parentElement) !== bare(node));
  const pressed = (node) => node.matches('[type=checkbox], [type=radio]')
    ? node.closest('label') ?? node : node;
  return [...document.querySelectorAll('a[href], button, input, select, summary, textarea')]
    .filter((node) => node.checkVisibility() && !amidWords(node))
    .map((node) => [pressed(node).getBoundingClientRect(), node.outerHTML.slice(0, 120)])
    .filter(([{width, height}]) => width > 1 && Math.min(width, height) < 43.5)
    .map(([{width, height}, html]) => `${width} x ${height}: ${html}`);
}"""


class Finger:
    """Feels for controls in one state of a page after another, and notes the small ones."""

    def __init__(self, person: Person) -> None:
        self._page = person.page
        self._missed: list[Any] = []

    async def feel(self, state: str) -> None:
        self._missed += [[state, one] for one in await self._page.evaluate(SMALL)]

    def verdict(self) -> None:
        assert self._missed == []


async def test_what_a_finger_presses_on_a_phone_is_large_enough(house: House, meet: Meet) -> None:
    gate = Gate()
    ask = CallScript("bash", {"command": "echo first # please-ask"})
    items = [{"id": "1", "content": "Look around", "status": "in_progress"}]
    plan = CallScript("plan", {"items": items})
    house.model.play(Reply(text="Let me see.", calls=[plan, ask, ask], hold={1: gate}))
    person = await meet(f"{house.url}/#/new", phone=True)
    finger = Finger(person)
    await expect(person.welcome).to_be_visible()
    await finger.feel("welcome")
    await person.say("Work")
    await person.reads("Let me")
    await person.say("And then this")
    await expect(person.queue).to_be_visible()
    await finger.feel("streaming, with a queue")
    gate.set()
    await expect(person.question()).to_be_visible()
    await finger.feel("questions")
    await person.question().get_by_role("button", name="Edit", exact=True).click()
    await finger.feel("a question that is edited")
    await person.button("More").click()
    await expect(person.page.get_by_role("menu")).to_be_visible()
    await finger.feel("the menu")
    finger.verdict()


async def test_what_is_pressed_after_a_turn_is_large_enough_for_a_finger(
    house: House, meet: Meet
) -> None:
    made = CallScript("bash", {"command": "seq 1 300; echo five > eggs.txt"})
    house.model.play(
        Reply(calls=[made]),
        Reply(text="See [it](https://example.com):\n\n```python\nprint(1)\n```"),
    )
    person = await meet(f"{house.url}/#/new", phone=True)
    finger = Finger(person)
    await person.say("Work")
    await expect(person.button("Copy answer")).to_be_visible()
    await person.tool("bash").get_by_role("button").first.click()
    await expect(person.conversation.locator(".code figcaption").first).to_be_visible()
    await finger.feel("after the turn, with code and an open card")
    notes: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await expect(person.button("Do not attach notes.txt")).to_be_visible()
    await finger.feel("a file beside the message")
    await person.say("Read it")
    await expect(person.conversation.get_by_role("link", name="notes.txt")).to_be_visible()
    await finger.feel("a message with a file")
    await person.menu("Files")
    await expect(person.page.get_by_role("dialog").get_by_role("link").first).to_be_visible()
    await finger.feel("files")
    finger.verdict()


async def test_what_is_pressed_in_every_view_is_large_enough_for_a_finger(
    house: House, meet: Meet
) -> None:
    house.model.play(Reply(text="I was about to", cut_after=1))
    person = await meet(f"{house.url}/#/new", phone=True)
    finger = Finger(person)
    await person.say("Hello")
    await person.reads("This turn failed.")
    await finger.feel("a turn that failed")
    await person.menu("Rename")
    await expect(person.page.get_by_role("textbox", name="Title")).to_be_focused()
    await finger.feel("a new title")
    await person.page.keyboard.press("Escape")
    await person.takes_their_time()
    await person.menu("Delete session")
    await expect(person.page.locator(".toasts").get_by_role("button", name="Undo")).to_be_visible()
    await finger.feel("a toast")
    async with Api(house.url) as api:
        await api.session("As wide as a thumb")
        await api.session("As wide as a hand")
    listed = person.list.get_by_role("listitem").filter(has_text="As wide as a thumb")
    in_table = person.page.get_by_role("row").filter(has_text="As wide as a thumb")
    for view, there in (("#/new", person.welcome), ("#/dashboard", in_table), ("#/", listed)):
        await person.page.goto(f"{house.url}/{view}")
        await expect(there).to_be_visible()
        await finger.feel(view)
    await person.search.fill("thumb")
    await expect(person.list.get_by_role("listitem")).to_have_count(1)
    await finger.feel("what was found")
    await person.button("Keyboard shortcuts").click()
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await finger.feel("keys")
    finger.verdict()


async def test_what_is_pressed_around_an_account_is_large_enough_for_a_finger(
    club: Club, meet: Meet
) -> None:
    person = await meet(f"{club.url}/#/new", phone=True, offline=True)
    finger = Finger(person)
    await expect(person.button("Log in").first).to_be_visible()
    await finger.feel("not logged in")
    await club.log_in(person)
    await person.button("Account of Ada L.").click()
    await expect(person.page.get_by_role("menu")).to_be_visible()
    await finger.feel("the account's menu")
    await person.page.get_by_role("menuitem", name="Settings").click()
    await expect(person.page.get_by_text("You keep none yet.")).to_be_visible()
    await finger.feel("settings")
    await person.page.keyboard.press("Escape")
    await person.say("Hello")
    await person.reads("All right, that is done.")
    await person.menu("Share…")
    await person.button("Make a link").click()
    await expect(person.page.get_by_role("listitem").filter(has_text="Link")).to_be_visible()
    await finger.feel("sharing")
    finger.verdict()
