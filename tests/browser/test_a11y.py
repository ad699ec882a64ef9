"""Who sees, hears or reaches otherwise: axe finds nothing serious in the main states."""

import pytest
from playwright.async_api import FilePayload, expect

from tests.api import Api
from tests.browser.club import Club
from tests.browser.conftest import PHONE_TOO, House, Meet, Theme
from tests.browser.judge import Judge
from tests.browser.lines import SilentLines, lines_to
from tests.browser.test_cards import DOT
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

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


@PHONE_TOO
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
    await person.reads("And then this")  # between two turns it is idle, too
    last = person.conversation.get_by_role("article").last
    await expect(last).to_contain_text("All right, that is done.")
    await expect(person.queue).to_have_count(0)
    await person.sees_state("Idle")
    await judge.look("at rest")
    await person.button("More").click()
    await expect(person.page.get_by_role("menu")).to_be_visible()
    await judge.look("the menu")
    await person.page.keyboard.press("Escape")
    notes: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await expect(person.button("Do not attach notes.txt")).to_be_visible()
    await judge.look("a file beside the message")
    judge.verdict()


@PHONE_TOO
async def test_axe_finds_nothing_in_the_rarer_states(house: House, meet: Meet, phone: bool) -> None:
    device = "a phone" if phone else "a desk"
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
    await expect(person.page.get_by_role("dialog")).to_contain_text("workspace is empty")
    await judge.look("files")
    await person.page.keyboard.press("Escape")
    await person.field.fill("Half a thought")
    async with Api(house.url) as api:
        await api.session("Not to be found")
        await api.session(f"So that the list on {device} is not empty")
        await api.call("DELETE", f"/api/sessions/{session}")
    await expect(person.dock).to_contain_text("This session was deleted")
    await judge.look("deleted by somebody else")
    await person.page.goto(f"{house.url}/#/dashboard")
    await expect(person.page.get_by_role("table")).to_be_visible()
    await judge.look("the dashboard")
    await person.page.goto(f"{house.url}/#/")
    await expect(person.page.get_by_role("table")).to_have_count(0)
    await expect(person.list.get_by_role("listitem")).to_have_count(2)
    await judge.look("the list")
    await person.search.fill(f"on {device}")
    await expect(person.list.get_by_role("listitem")).to_have_count(1)
    await judge.look("what was found")
    await person.button("Keyboard shortcuts").click()
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await judge.look("keys")
    judge.verdict()


@PHONE_TOO
async def test_axe_finds_nothing_in_what_comes_up_over_a_conversation(
    house: House, meet: Meet, phone: bool
) -> None:
    gate = Gate()
    lines = "\n\n".join(f"Line {number}." for number in range(100))
    drawn = CallScript("bash", {"command": f"echo {DOT} | base64 -d > dot.png; echo dot.png"})
    house.model.play(
        Reply(calls=[drawn]), Reply(text=lines, pieces=[lines], calls=ASKING, hold={1: gate})
    )
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.page.emulate_media(reduced_motion="reduce")
    judge = Judge(person)
    await person.say("Draw")
    await expect(person.page.get_by_text("Line 99.", exact=True)).to_be_in_viewport()
    await person.conversation.evaluate("(node) => node.scrollTo(0, 0)")
    await person.button("Enlarge dot.png").click()
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await judge.look("an image in full")
    await person.page.keyboard.press("Escape")
    gate.set()
    await person.sees_state("Needs you")
    await expect(person.page.locator(".ask-sheet" if phone else ".ask-bar")).to_be_visible()
    await expect(person.button("1 new")).to_be_visible()
    await judge.look("a question and something new out of sight")
    await person.button("Approve").last.click()
    await person.sees_state("Idle")
    await person.takes_their_time()
    await person.menu("Delete session")
    await expect(person.page.locator(".toasts").get_by_role("button", name="Undo")).to_be_visible()
    await judge.look("a toast")
    judge.verdict()


@PHONE_TOO
async def test_axe_finds_nothing_where_the_connection_is_lost(
    house: House, meet: Meet, phone: bool
) -> None:
    async with lines_to(house.url) as lines:
        person = await meet(f"{lines.url}/#/new", phone=phone, offline=True)
        await person.page.emulate_media(reduced_motion="reduce")
        judge = Judge(person)
        await person.say("Hello")
        await person.reads("All right, that is done.")
        await person.page.clock.install()
        lines.lay = silent = SilentLines()
        lines.sever()
        await silent.dialled.wait()
        await person.page.clock.fast_forward("00:04")
        await person.page.clock.fast_forward("00:11")
        await expect(person.dock).to_contain_text("No connection to the server.")
        await judge.look("no connection")
        judge.verdict()


@PHONE_TOO
async def test_axe_finds_nothing_around_an_account(club: Club, meet: Meet, phone: bool) -> None:
    person = await meet(f"{club.url}/#/new", phone=phone, offline=True)
    await person.page.emulate_media(reduced_motion="reduce")
    judge = Judge(person)
    await expect(person.button("Log in").first).to_be_visible()
    await judge.look("not logged in")
    await club.log_in(person)
    await person.button("Account of Ada L.").click()
    await expect(person.page.get_by_role("menu")).to_be_visible()
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
