"""The hand on the wheel: stop, the model, what is used and what may be spent, and every key."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.api import Api
from tests.browser.conftest import PHONE_TOO, House, Meet
from tests.browser.lines import lines_to
from tests.model_server import CallScript, Gate, Reply, Tokens
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
ASK = CallScript("bash", {"command": "echo first # please-ask"})
PRICES = {"input": 10.0, "output": 0.0}
ONE_FRAME_AFTER_ESCAPE = """() => new Promise((resolve) => {
  const said = () => document.querySelector('.button.stop')?.textContent;
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(said())));
})"""


async def test_a_stop_is_acknowledged_at_once_whatever_the_line_does(
    house: House, meet: Meet
) -> None:
    house.model.play(Reply(text="Busy just now.", hold={1: Gate()}))
    async with lines_to(house.url) as lines:
        person = await meet(lines.url, offline=True)
        await person.say("Work")
        await person.reads("Busy")
        await expect(person.button("Stop")).to_be_visible()
        lines.stall()
        assert await person.page.evaluate(ONE_FRAME_AFTER_ESCAPE) == "Stopping…"
        lines.flow()
        await person.reads("Stopped.")
        await person.sees_state("Idle")


@PHONE_TOO
async def test_another_model_is_picked_and_answers_from_then_on(
    house: House, meet: Meet, phone: bool
) -> None:
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Hello")
    await person.reads(DONE)
    picker = person.dock.get_by_role("combobox", name="Model")
    await picker.select_option("demo")
    await person.reads("Model: demo")
    await person.say("hello")
    await person.reads("a fixed script, no AI")
    await person.page.reload()
    await expect(picker).to_have_value("demo")
    unusable = picker.locator("option:disabled")
    assert all("(" in one for one in await unusable.all_text_contents())
    assert len(house.model.requests) == 1


async def test_a_model_is_picked_before_the_first_word(house: House, meet: Meet) -> None:
    person = await meet(f"{house.url}/#/new")
    await person.page.get_by_role("combobox", name="Model").select_option("demo")
    await expect(person.page.get_by_text("This server runs the demo model")).to_be_visible()
    await person.say("hello")
    await person.reads("a fixed script, no AI")
    async with Api(house.url) as api:
        assert (await api.look(await person.session()))["model"] == "demo"


async def test_what_is_used_is_counted_and_what_may_be_spent_is_shown(
    tmp_path: Path, meet: Meet
) -> None:
    models = {"openai/test-model": {"prices": PRICES, "context": 100_000}}
    async with (
        StoryModel() as model,
        Server(tmp_path, model.url, config={**CONFIG, "models": models}) as server,
    ):
        person = await meet(server.url, offline=True)
        model.play(Reply(text="Short.", usage=Tokens(prompt=40_000, completion=2_000)))
        model.play_plain(Reply(text="A title", usage=Tokens(prompt=0, completion=0)))
        await person.say("Hello")
        await person.reads("Short.")
        usage = person.page.get_by_role("region", name="Usage")
        await expect(usage).to_contain_text(re.compile(r"Context42% of 100k"))
        await expect(usage.get_by_role("meter", name="Context used")).to_have_attribute(
            "aria-valuenow", "42"
        )
        await expect(usage).to_contain_text("Tokens read40k")
        await expect(usage).to_contain_text("Tokens written2.0k")
        await expect(usage).to_contain_text("Cost$0.4")
        await person.page.get_by_role("switch", name="Auto-approve").check()
        cap = person.page.get_by_role("textbox", name="Up to (USD)")
        await cap.fill("0.5")
        await cap.press("Enter")
        await expect(usage).to_contain_text("Runs without asking up to$0.5")
        await expect(usage.get_by_role("meter", name="Spent of the budget")).to_have_attribute(
            "aria-valuenow", "80"
        )
        await person.button("Plan and usage").click()
        await expect(usage).to_have_count(0)
        await expect(person.dock.locator(".status")).to_contain_text("42% of 100k")
        await expect(person.dock.locator(".status")).to_contain_text("$0.4")


async def test_every_key_of_the_sheet_does_what_it_says(house: House, meet: Meet) -> None:
    text = "\n\n".join(f"Line {number}." for number in range(80))
    house.model.play(Reply(text=text, chunk_size=4_000), Reply(calls=[ASK]))
    person = await meet(house.url)
    press = person.page.keyboard.press
    await person.field.press_sequentially("one")
    await person.field.press("Shift+Enter")
    await person.field.press_sequentially("two")
    await expect(person.field).to_have_value("one\ntwo")
    await person.field.press("Enter")
    await person.reads("Line 79.")
    await person.sees_state("Idle")
    await person.field.blur()
    await press("/")
    await expect(person.field).to_be_focused()
    await person.conversation.focus()
    await press("k")
    answer = person.conversation.get_by_role("article", name="Agent")
    await expect(answer).to_be_focused()
    await press("k")
    await expect(person.conversation.get_by_role("article", name="You")).to_be_focused()
    await press("j")
    await expect(answer).to_be_focused()
    await person.conversation.evaluate("(node) => node.scrollTo(0, 0)")
    await expect(person.button("To the end")).to_be_visible()
    await press("End")
    await expect(person.page.get_by_text("Line 79.", exact=True)).to_be_in_viewport()
    await person.say("Ask me")
    await expect(person.question()).to_be_visible()
    await person.tool("bash").focus()
    await press("r")
    reason = person.question().get_by_role("textbox", name="Why not?")
    await expect(reason).to_be_focused()
    await reason.fill("a?/jk are letters here")
    await reason.press("Enter")
    await person.reads("Rejected by you: “a?/jk are letters here”")
    await person.sees_state("Idle")
    await press("Control+k")
    await expect(person.search).to_be_focused()
    await press("Alt+n")
    await expect(person.welcome).to_be_visible()


async def test_the_focus_stays_where_somebody_writes_whatever_happens(
    house: House, meet: Meet
) -> None:
    gate = Gate()
    house.model.play(Reply(text="Let me see.", calls=[ASK], hold={1: gate}))
    person = await meet(house.url)
    await person.say("Go")
    await person.reads("Let me")
    await person.field.press_sequentially("Half a ")
    gate.set()
    await expect(person.question()).to_be_visible()
    await person.page.keyboard.type("thought")
    await expect(person.field).to_have_value("Half a thought")
    await expect(person.field).to_be_focused()
    async with Api(house.url) as api:
        await api.submit(await person.session(), {"type": "interrupt", "id": "i"})
    await person.sees_state("Idle")
    await expect(person.field).to_be_focused()
