"""The page on a phone: nothing sticks out, and fingers find what they need."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import House, Meet
from tests.model_server import CallScript, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STICKS_OUT = """() => {
  const wide = [...document.querySelectorAll('body *')].filter((node) => {
    const box = node.getBoundingClientRect();
    const scrolls = node.closest('pre, .table, .scroller > .column.wide');
    return box.width > 0 && box.right > innerWidth + 1 && !scrolls;
  });
  return wide.map((node) => `${node.tagName}.${node.className}`);
}"""
LONG = "averylongwordwithoutanyspace" * 12


async def test_the_list_says_how_long_ago_as_time_goes_by(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.sees_state("Idle")
    await person.page.clock.install()
    await person.page.reload()
    when = person.page.locator(".session.current .under")
    await expect(when).to_have_text("now")
    await person.page.clock.fast_forward("05:00")
    await expect(when).to_have_text("5 min")


@pytest.mark.parametrize("view", ["", "#/new", "#/dashboard"])
async def test_no_view_is_wider_than_a_phone(house: House, meet: Meet, view: str) -> None:
    person = await meet(f"{house.url}/{view}", phone=True)
    await expect(person.page.locator("body")).to_have_attribute(
        "data-view", re.compile("new|list|dashboard")
    )
    assert await person.page.evaluate(STICKS_OUT) == []


async def test_a_conversation_with_a_question_fits_a_phone(house: House, meet: Meet) -> None:
    command = {"command": f"echo {LONG} # please-ask", "description": LONG}
    house.model.play(Reply(text=f"{LONG}\n\n```\n{LONG}\n```", calls=[CallScript("bash", command)]))
    person = await meet(f"{house.url}/#/new", phone=True)
    await person.field.fill(LONG)
    await person.button("Send").click()
    await person.sees_state("Needs you")
    assert await person.page.evaluate(STICKS_OUT) == []
    approve = (
        await person.page.locator(".approval").get_by_role("button", name="Approve").bounding_box()
    )
    assert approve is not None
    assert approve["height"] >= 44
    await person.page.get_by_role("link", name="All sessions").click()
    await expect(person.page.locator(".session").first).to_be_visible()
