"""Who sees, hears or reaches otherwise: axe finds nothing serious in the main states."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.api import Api
from tests.browser.club import Club
from tests.browser.conftest import House, Meet, Theme
from tests.browser.person import Person
from tests.browser.text_room import ROOT
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AXE = ROOT / "static/node_modules/axe-core/axe.min.js"
FOUND = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ['violations']});
  return violations.flatMap(({id, impact, nodes}) =>
    nodes.map(({target, failureSummary}) => [impact, id, target.join(' '), failureSummary]));
}"""
TEXT = """# A heading

Some **bold** words, `code`, [a link](https://example.com) and a list:

- [x] done
- not done

```python
def greet(name: str) -> str:  # says hello
    return f"Hello {name}, {42}"
```

| Step | Takes |
|------|------:|
| one  | 2 ms  |
"""
COLOURS = r"printf '\033[31mred \033[32mgreen \033[34mblue \033[90mgrey \033[0mplain\n'"
ASKING = [CallScript("bash", {"command": "echo first # please-ask", "description": "Say first"})]
PLAN = [{"id": "1", "content": "Look around", "status": "in_progress"}]


class Judge:
    """Looks at a page in one state after another."""

    def __init__(self, person: Person) -> None:
        self._page = person.page
        self._source = Path(AXE).read_text()
        self._bad: list[Any] = []

    async def look(self, state: str) -> None:
        if not await self._page.evaluate("() => 'axe' in window"):
            await self._page.evaluate(self._source)
        found = await self._page.evaluate(FOUND)
        self._bad += [[state, *one] for one in found]

    def verdict(self) -> None:
        assert self._bad == []


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_in_the_main_states(
    house: House, meet: Meet, theme: Theme, phone: bool
) -> None:
    gate = Gate()
    calls = [CallScript("plan", {"items": PLAN}), CallScript("bash", {"command": COLOURS})]
    house.model.play(
        Reply(text=TEXT, reasoning="Let me see.", calls=calls, chunk_size=400),
        Reply(text="May I?", calls=ASKING, hold={1: gate}),
    )
    person = await meet(f"{house.url}/#/new", phone=phone, theme=theme)
    await person.page.emulate_media(reduced_motion="reduce")
    judge = Judge(person)
    await expect(person.welcome).to_be_visible()
    await judge.look("welcome")
    await person.say("Show me what there is")
    await person.reads("May I?")
    await person.say("And then this")
    await expect(person.queue).to_be_visible()
    await expect(person.cards("done")).to_have_count(2)
    await person.tool("bash").get_by_role("button").first.click()
    await judge.look("streaming, with a queue and an open card")
    gate.set()
    await expect(person.question()).to_be_visible()
    await judge.look("a question")
    await person.question().get_by_role("button", name="Edit", exact=True).click()
    await person.question().get_by_role("textbox", name="command").fill("echo other")
    await judge.look("a question that is edited")
    await person.question().get_by_role("button", name="Approve edited").click()
    await expect(person.queue).to_have_count(0)
    await person.sees_state("Idle")
    await judge.look("at rest")
    await person.button("More").click()
    await judge.look("the menu")
    await person.page.keyboard.press("Escape")
    judge.verdict()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_axe_finds_nothing_in_the_rarer_states(house: House, meet: Meet, phone: bool) -> None:
    cut = Reply(text="I was about to", cut_after=1)
    house.model.play(cut)
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.page.emulate_media(reduced_motion="reduce")
    judge = Judge(person)
    await person.say("Hello")
    await person.reads("This turn failed.")
    await judge.look("a turn that failed")
    session = await person.session()
    await person.menu("Files")
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await judge.look("files")
    await person.page.keyboard.press("Escape")
    await person.field.fill("Half a thought")
    async with Api(house.url) as api:
        await api.session("So that the list is not empty")
        await api.call("DELETE", f"/api/sessions/{session}")
    await expect(person.dock).to_contain_text("This session was deleted")
    await judge.look("deleted by somebody else")
    for view in ("#/dashboard", "#/"):
        await person.page.goto(f"{house.url}/{view}")
        await expect(person.page.get_by_role("main").first).to_be_visible()
        await judge.look(view)
    await person.button("Keyboard shortcuts").click()
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await judge.look("keys")
    judge.verdict()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_axe_finds_nothing_around_an_account(club: Club, meet: Meet, phone: bool) -> None:
    person = await meet(f"{club.url}/#/new", phone=phone, offline=True)
    await person.page.emulate_media(reduced_motion="reduce")
    judge = Judge(person)
    await expect(person.button("Log in").first).to_be_visible()
    await judge.look("not logged in")
    await club.log_in(person)
    await person.button("Account of Ada L.").click()
    await judge.look("the account's menu")
    await person.page.get_by_role("menuitem", name="Settings").click()
    await expect(person.page.get_by_text("You keep none yet.")).to_be_visible()
    await judge.look("settings")
    await person.page.keyboard.press("Escape")
    await person.say("Hello")
    await person.reads("All right, that is done.")
    await person.menu("Share…")
    await person.button("Make a link").click()
    await expect(person.page.get_by_role("listitem").filter(has_text="Link")).to_be_visible()
    await judge.look("sharing")
    judge.verdict()
