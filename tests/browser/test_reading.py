"""Reading while it grows: the end follows a reader who is there, and no other."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Meet
from tests.browser.peer import Connection, Frame, Peer
from tests.browser.person import Person
from tests.browser.test_state import CALL, ENDED, USER, delta, event, hello, log, synced

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OPEN = """async ({SessionPage}) => {
  const sheets = ['style', 'conversation'].map((name) => {
    const sheet = document.createElement('link');
    Object.assign(sheet, {rel: 'stylesheet', href: `/static/${name}.css`});
    return sheet;
  });
  const loaded = sheets.map((sheet) => new Promise((resolve) => { sheet.onload = resolve; }));
  document.head.append(...sheets);
  await Promise.all(loaded);
  const nothing = () => {};
  const app = {tell: nothing, announce: nothing, changed: nothing, models: () => []};
  const page = new SessionPage('s1', app);
  const stage = document.createElement('div');
  stage.className = 'stage';
  stage.append(page.node);
  document.body.append(document.createElement('aside'), stage);
  page.open();
}"""
LEFT_BELOW = """() => {
  const {scrollHeight, scrollTop, clientHeight} = document.querySelector('.scroller');
  return scrollHeight - scrollTop - clientHeight;
}"""


async def reading(meet: Meet, shelf: str, *events: Frame) -> tuple[Person, Connection]:
    person = await meet(shelf)
    peer = await Peer().listen(person.page)
    await person.run("/static/views/page.js", OPEN)
    connection = await peer.accept()
    connection.send(hello(), *events, synced(len(events)), status("running"))
    return person, connection


def status(state: str, **more: Any) -> Frame:
    fields = {"queue": [], "held": False, "context": {"used": 0, "limit": 1}, "viewers": 1}
    return {"type": "status", "state": state, **fields, **more}


LINES = "\n\n".join(f"Line {number}" for number in range(100))


async def test_the_end_follows_a_reader_who_is_there(meet: Meet, shelf: str) -> None:
    person, connection = await reading(meet, shelf, USER)
    connection.send(delta(0, LINES))
    await person.reads("Line 99")
    await expect(person.page.get_by_text("Line 99")).to_be_in_viewport()
    connection.send(delta(len(LINES), "\n\nOne more"))
    await expect(person.page.get_by_text("One more")).to_be_in_viewport()


async def test_a_reader_further_up_is_left_where_they_are(meet: Meet, shelf: str) -> None:
    person, connection = await reading(meet, shelf, USER)
    connection.send(delta(0, LINES))
    await expect(person.page.get_by_text("Line 99")).to_be_in_viewport()
    await person.page.get_by_text("Line 9", exact=True).scroll_into_view_if_needed()
    await expect(person.button("To the end ↓")).to_be_visible()
    connection.send(
        event(2, "assistant_message", turn="t1", item="i1", text=LINES),
        event(3, "notice", code="x", text="A note"),
    )
    await expect(person.button("1 new ↓")).to_be_visible()
    await expect(person.page.get_by_text("Line 9", exact=True)).to_be_in_viewport()
    await person.button("1 new ↓").click()
    await expect(person.page.get_by_text("A note")).to_be_in_viewport()
    assert await person.page.evaluate(LEFT_BELOW) < 2


async def test_a_closed_card_shows_the_last_lines_of_a_flood(meet: Meet, shelf: str) -> None:
    person, connection = await reading(meet, shelf, CALL)
    flood = "".join(f"{number} of many\n" for number in range(30_000))
    connection.send(log(0, flood))
    card = person.tool("bash")
    await expect(card.locator(".preview")).to_have_text(
        "29997 of many\n29998 of many\n29999 of many"
    )
    await card.locator("summary").click()
    await expect(card).to_contain_text("characters before this are not shown")
    shown = await card.locator(".output").inner_text()
    assert len(shown) <= 60_000


async def test_only_a_long_loss_is_worth_a_word(meet: Meet, shelf: str) -> None:
    person = await meet(shelf)
    await person.page.clock.install()
    peer = await Peer().listen(person.page)
    await person.run("/static/views/page.js", OPEN)
    connection = await peer.accept()
    connection.send(hello(), USER, ENDED, synced(2), status("idle"))
    await person.page.clock.run_for(100)
    await person.sees_state("Idle")
    await connection.close(1012)
    said = person.page.locator(".bar.connection")
    await person.page.clock.run_for(2_000)
    await expect(said).to_be_hidden()
    await person.page.clock.run_for(3_000)
    await expect(said).to_have_text("Reconnecting…Retry now")
    await expect(person.button("Retry now")).to_be_hidden()
    await person.page.clock.run_for(8_000)
    await expect(said).to_contain_text("No connection; the agent keeps working.")
