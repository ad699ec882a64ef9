"""Leaving and coming back: reload, second device, lost server; nothing lost, nothing twice."""

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.api import Api
from tests.browser.conftest import PHONE_TOO, House, Meet
from tests.browser.frozen import FrozenTime
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
WAKE_UP = (
    "(name) => (name === 'visibilitychange' ? document : window).dispatchEvent(new Event(name))"
)
SILENT = """{
  const [open, later] = [indexedDB.open.bind(indexedDB), setTimeout];
  indexedDB.open = (...asked) => Object.assign(open(...asked), { addEventListener() {} });
  window.setTimeout = (run, ms = 0, ...given) => later(run, ms < 1_000 ? ms : 1e9, ...given);
}"""
"""A storage that never answers, and nobody who gives up on it."""
KEYS_OF = "(text) => Object.keys(localStorage).filter((key) => localStorage[key].includes(text))"
PLAN = [{"id": "1", "content": "Look", "status": "in_progress"}]
MARKDOWN = """# All of it

Some **bold** `code`, [a link](https://example.com):

- one
  - nested
- two

```python
def f():
    return 1
```

| a | b |
|---|--:|
| 1 | 2 |

That was all."""
DRAWN = """(conversation) => {
  const copy = conversation.querySelector('.entries').cloneNode(true);
  for (const code of copy.querySelectorAll('.rows')) code.textContent = code.textContent;
  for (const when of copy.querySelectorAll('time')) when.textContent = '';
  return copy.innerHTML;
}"""
"""The entries, without colours, which come when there is time, and without what a clock says."""
ASKING = Reply(text="May I?", calls=[CallScript("bash", {"command": "echo ran # please-ask"})])


async def test_a_reload_in_mid_sentence_finds_every_word(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Half of this is written already.", hold={2: gate}))
    person = await meet(house.url)
    await person.say("Write")
    await person.reads("Half of this is")
    await person.page.reload()
    await person.reads("Half of this is")
    gate.set()
    await person.reads("Half of this is written already.")
    await person.sees_state("Idle")
    live = await person.transcript()
    await person.page.reload()
    await person.reads("Half of this is written already.")
    await person.shows(live)


async def test_what_grew_before_the_eyes_looks_as_it_does_when_it_comes_whole(
    house: House, meet: Meet
) -> None:
    """Thought, a plan, a call that a person edited, one that failed, Markdown, a turn undone."""
    edited = CallScript("bash", {"command": "echo ran # please-ask"})
    calls = [CallScript("plan", {"items": PLAN}), edited, CallScript("bash", {"command": "exit 3"})]
    house.model.play(
        Reply(text="A **first** word.", chunk_size=3),
        Reply(text="May I?", reasoning="Let me\n\nsee.", calls=calls, chunk_size=3),
        Reply(text=MARKDOWN, reasoning="Well.", chunk_size=5),
    )
    person = await meet(house.url)
    await person.say("Say something")
    await person.reads("A first word.")
    await person.button("Undo").click()
    await expect(person.button("1 turn was undone")).to_be_visible()
    await person.say("Do it")
    form = person.question()
    await form.get_by_role("button", name="Edit", exact=True).click()
    await form.get_by_role("textbox", name="command").fill("printf '\\033[31mred\\n'")
    await form.get_by_role("button", name="Approve edited").click()
    await person.reads("That was all.")
    await person.sees_state("Idle")
    await expect(person.conversation.locator(".hljs-keyword")).not_to_have_count(0)
    await person.transcript()
    live = await person.conversation.evaluate(DRAWN)
    for words in ("A first word", "Let me", "echo ran", "red", "exit 3", "Look", "That was all."):
        assert (words in live) == (words not in ("A first word", "Let me", "echo ran"))
    await person.page.reload()
    await person.reads("That was all.")
    await expect(person.conversation.locator(".hljs-keyword")).not_to_have_count(0)
    await person.sees_state("Idle")
    await person.transcript()
    assert await person.conversation.evaluate(DRAWN) == live


async def test_what_was_typed_outlives_a_reload(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await person.field.fill("Not yet sent")
    await person.page.reload()
    await expect(person.field).to_have_value("Not yet sent")


async def test_what_was_sent_outlives_a_reload_at_that_very_moment(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await person.field.fill("One more thing")
    stuck = "() => { IDBObjectStore.prototype.put = () => new Promise(() => {}); }"
    await person.page.evaluate(stuck)
    await person.field.press("Enter")
    await person.page.reload()
    await expect(person.conversation.get_by_text("One more thing")).to_have_count(1)
    await expect(person.conversation.get_by_text(DONE)).to_have_count(2)
    await expect(person.field).to_have_value("")
    async with Api(house.url) as api:
        events = await api.events(await person.session())
    said = [event["text"] for event in events if event["type"] == "user_message"]
    assert said == ["Hello", "One more thing"]


async def test_the_first_words_outlive_a_reload_while_their_session_is_made(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url, offline=True)
    await person.welcome.wait_for()
    asked = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "POST":
            asked.set()
        else:
            await route.continue_()

    await person.page.route("**/api/sessions*", hold)
    await person.say("My very first words")
    await asked.wait()
    await person.page.reload()
    await expect(person.field).to_have_value("My very first words")


async def test_words_that_are_written_before_the_storage_answers_outlive_a_reload(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await person.field.fill("An older thought")
    await person.page.reload()
    await expect(person.field).to_have_value("An older thought")
    await person.page.add_init_script(SILENT)
    await person.page.reload()
    await person.field.fill("A younger one")
    await person.page.reload()
    await person.field.wait_for()
    keys = await person.page.evaluate(KEYS_OF, "A younger one")
    assert [key.partition(":")[0] for key in keys] == ["draft"]  # which goes with a log-out
    page = await person.page.context.new_page()
    await page.goto(house.url)
    field = page.get_by_role("textbox", name="Message", exact=True)
    await expect(field).to_have_value("An older thought\n\nA younger one")


async def test_two_devices_see_one_truth(house: House, meet: Meet) -> None:
    house.model.play(ASKING)
    desk = await meet(house.url)
    await desk.say("Do it")
    await desk.sees_state("Needs you")
    phone = await meet(desk.page.url, phone=True)
    await expect(phone.question()).to_be_visible()
    await expect(desk.dock).to_contain_text("2 viewers")
    await phone.approve()
    for person in (desk, phone):
        await expect(person.question()).to_have_count(0)
        await person.reads(DONE)
        await person.sees_state("Idle")
    await phone.shows(await desk.transcript())


async def test_a_question_outlives_the_server(own_house: House, meet: Meet) -> None:
    own_house.model.play(ASKING)
    person = await meet(own_house.url, offline=True)
    await person.say("Do it")
    await person.sees_state("Needs you")
    await own_house.server.restart()
    await person.approve()
    await person.reads(DONE)
    await expect(person.cards("done")).to_have_count(1)


async def test_a_server_killed_in_mid_sentence_is_met_again_without_loss(
    own_house: House, meet: Meet
) -> None:
    own_house.model.play(Reply(text="Half of this is written already.", hold={2: Gate()}))
    person = await meet(own_house.url, offline=True)
    await person.say("Write")
    await person.reads("Half of this is")
    await own_house.server.restart()
    await person.reads("The server restarted and this turn was cut short.")
    await person.sees_state("Idle")
    fresh = await meet(person.page.url)
    await fresh.reads("The server restarted")
    await fresh.shows(await person.transcript())
    await person.say("Go on")
    await person.reads(DONE)


async def test_what_was_said_without_a_server_is_sent_once(own_house: House, meet: Meet) -> None:
    person = await meet(own_house.url, offline=True)
    await person.say("Hello")
    await person.reads(DONE)
    await person.sees_state("Idle")
    await own_house.server.kill9()
    await person.say("Are you there?")
    await expect(person.page.get_by_text("Will be sent when")).to_be_visible()
    await own_house.server.start()
    await expect(person.conversation.get_by_text("Are you there?")).to_have_count(1)
    await expect(person.page.get_by_text("Will be sent when")).to_have_count(0)
    await expect(person.conversation.get_by_text(DONE)).to_have_count(2)
    async with Api(own_house.url) as api:
        events = await api.events(await person.session())
    said = [event["text"] for event in events if event["type"] == "user_message"]
    assert said == ["Hello", "Are you there?"]


@PHONE_TOO
async def test_only_a_long_loss_is_worth_a_word_and_a_person_need_not_wait(
    own_house: House, meet: Meet, phone: bool
) -> None:
    person = await meet(f"{own_house.url}/#/new", phone=phone, offline=True)
    await person.say("Hello")
    await person.reads(DONE)
    time = FrozenTime(person.page)
    await time.begin()
    await person.reads(DONE)
    await person.sees_state("Idle")  # a turn that is cut short goes on to change the page
    await time.freeze()
    await own_house.server.kill9()
    chip = person.dock.get_by_text("Reconnecting…")
    banner = person.dock.get_by_text("No connection to the server.")
    await time.passes(0, lost=1)
    await time.passes(500, lost=1)
    await time.passes(1_000, lost=1)
    await time.passes(1_400)
    await expect(chip).to_have_count(0)
    await time.passes(1_100, lost=1)
    await expect(chip).to_be_visible()
    await time.passes(4_000, lost=1)
    await time.passes(1_900)
    await expect(chip).to_be_visible()
    await expect(person.button("Retry now")).to_have_count(0)
    await time.passes(1_600)
    await expect(banner).to_be_visible()
    await expect(chip).to_have_count(0)
    await time.counts_down(person.dock)
    for name in ("visibilitychange", "pageshow", "online"):
        await person.page.evaluate(WAKE_UP, name)
        await time.passes(0, lost=1)
    await own_house.server.start()
    await person.button("Retry now").click()
    await expect(banner).to_have_count(0)
    await expect(person.button("Retry now")).to_have_count(0)
    await person.sees_state("Idle")


async def test_a_deleted_session_says_so_and_keeps_what_was_typed(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await person.field.fill("Half a thought")
    async with Api(house.url) as api:
        await api.call("DELETE", f"/api/sessions/{await person.session()}")
    await expect(person.dock).to_contain_text("This session was deleted")
    await expect(person.button("Copy my text")).to_be_visible()
    await expect(person.field).to_have_value("Half a thought")
    for dead in ("More", "Undo", "Try again"):
        await expect(person.button(dead)).to_have_count(0)
    await person.button("Start a new session").click()
    await expect(person.welcome).to_be_visible()


async def test_a_session_that_has_ended_is_read_and_asked_for_nothing(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    for text in ("To be taken back", "To be kept"):
        await person.say(text)
        await person.reads(DONE)
        await person.sees_state("Idle")
        if text == "To be taken back":
            await person.button("Undo").click()
            await expect(person.button("Edit and run again")).to_be_visible()
    async with Api(house.url) as api:
        await api.submit(await person.session(), {"type": "shutdown", "id": "over"})
    await person.sees_state("Ended")
    await person.reads("1 turn was undone")
    for dead in ("Edit and run again", "Undo", "Try again"):
        await expect(person.button(dead)).to_have_count(0)
    await person.button("More").click()
    undo = person.page.get_by_role("menuitem", name="Undo the last turn")
    await expect(undo).to_be_disabled()
    await expect(person.page.get_by_role("menuitem", name="Export as Markdown")).to_be_visible()


async def test_the_list_and_the_dashboard_are_live(house: House, meet: Meet) -> None:
    watcher = await meet(f"{house.url}/#/dashboard")
    async with Api(house.url) as api:
        session = await api.session("Watched from afar")
        row = watcher.page.get_by_role("row").filter(has_text="Watched from afar")
        await expect(row).to_contain_text("Idle")
        house.model.play(ASKING)
        await api.submit(session, {"type": "user_input", "id": "u1", "text": "Do it"})
    await expect(row).to_contain_text("Needs you")
    entry = watcher.list.get_by_role("listitem").filter(has_text="Watched from afar")
    await expect(entry).to_contain_text("Needs you")
    await row.get_by_role("link").click()
    await expect(watcher.question()).to_be_visible()


async def test_an_approval_that_waits_marks_the_tab(own_house: House, meet: Meet) -> None:
    own_house.model.play(ASKING)
    person = await meet(own_house.url)
    await person.say("Do it")
    await expect(person.page).to_have_title(re.compile(r"^\(\d+\) Mooring$"))
    marked = await person.page.title()
    await person.approve()
    await person.reads(DONE)
    await expect(person.page).not_to_have_title(marked)


async def test_older_events_are_fetched_when_asked_for(house: House, meet: Meet) -> None:
    """A log that is too large to send: more than 2 MiB."""
    async with Api(house.url) as api:
        session = await api.session("A long history")
        for number in range(25):
            text = f"{number}:" + "x" * 99_000
            await api.submit(session, {"type": "user_input", "id": f"u{number}", "text": text})
    await house.model.request_arrived(25)  # none of them waits to be said
    person = await meet(f"{house.url}/#/s/{session}")
    await expect(person.page.get_by_text("24:xxx")).to_have_count(1)
    older = person.button("Show earlier messages")
    bubbles = person.page.locator(".bubble")
    while not (oldest := await bubbles.first.text_content() or "").startswith("0:"):
        await expect(person.button("Loading earlier messages…")).to_have_count(0)
        await older.evaluate_all("(found) => found.forEach((one) => one.click())")
        await expect(bubbles.first).not_to_have_text(oldest)
    said = await bubbles.all_text_contents()
    assert [text.partition(":")[0] for text in said] == [str(number) for number in range(25)]


async def test_without_storage_the_page_works_and_says_what_is_at_stake(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    forbid = "{get() { throw new DOMException('no', 'SecurityError'); }}"
    for name in ("indexedDB", "localStorage"):
        script = f"Object.defineProperty(window, '{name}', {forbid})"
        await person.page.add_init_script(script)
    await person.page.reload()
    await person.say("Hello")
    await person.reads(DONE)
    await person.field.fill("Not yet sent")
    await expect(person.dock).to_contain_text("This browser stores nothing here")
