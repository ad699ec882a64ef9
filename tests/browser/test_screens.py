"""The page on a phone and at other sizes: nothing sticks out, or hides behind a keyboard."""

from typing import Literal

import pytest
from playwright.async_api import Locator, expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STICKS_OUT = """() => {
  const wide = [...document.querySelectorAll('body *')].filter((node) => {
    const box = node.getBoundingClientRect();
    const scrolls = node.closest('pre, .wide, .board, .log, .code, .unseen');
    return box.width > 0 && box.right > innerWidth + 1 && !scrolls;
  });
  return wide.map((node) => `${node.tagName}.${node.className}`);
}"""
STUBBED_VIEWPORT = """() => {
  const sight = Object.assign(new EventTarget(), {height: innerHeight, scale: 1});
  Object.defineProperty(window, 'visualViewport', {value: sight});
  window.sight = (to) => {
    Object.assign(sight, to);
    sight.dispatchEvent(new Event('resize'));
  };
}"""
LONG = "averylongwordwithoutanyspace" * 12


async def height_of(place: Locator) -> float:
    box = await place.bounding_box()
    assert box is not None
    return box["height"]


async def test_the_list_says_how_long_ago_as_time_goes_by(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.page.clock.install()
    await person.page.reload()
    await person.say("Hello")
    await person.reads("All right, that is done.")
    await person.sees_state("Idle")
    when = person.list.locator("[aria-current=page] time")
    await expect(when).to_have_text("now")
    await person.page.clock.fast_forward("05:00")
    await expect(when).to_have_text("5 min")


@pytest.mark.parametrize(
    ("view", "shows"), [("", "listitem"), ("#/new", "heading"), ("#/dashboard", "table")]
)
async def test_no_view_is_wider_than_a_phone(
    house: House, meet: Meet, view: str, shows: Literal["listitem", "heading", "table"]
) -> None:
    async with Api(house.url) as api:
        await api.session(LONG[:200])
    person = await meet(f"{house.url}/{view}", phone=True)
    await expect(person.page.get_by_role(shows).first).to_be_visible()
    assert await person.page.evaluate(STICKS_OUT) == []


async def test_a_conversation_with_a_question_fits_a_phone(house: House, meet: Meet) -> None:
    command = {"command": f"echo {LONG} # please-ask", "description": LONG}
    house.model.play(Reply(text=f"{LONG}\n\n```\n{LONG}\n```", calls=[CallScript("bash", command)]))
    person = await meet(f"{house.url}/#/new", phone=True)
    await person.field.fill(LONG)
    await person.button("Send").click()
    await person.sees_state("Needs you")
    await expect(person.question()).to_be_visible()
    assert await person.page.evaluate(STICKS_OUT) == []
    assert await height_of(person.question().get_by_role("button", name="Approve")) >= 44
    await person.page.get_by_role("link", name="All sessions").click()
    await expect(person.list.get_by_role("listitem").first).to_be_visible()
    await expect(person.list).to_contain_text("Needs you")


async def test_the_composer_stays_in_sight_over_a_keyboard(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Busy just now.", hold={1: gate}))
    person = await meet(f"{house.url}/#/new", phone=True)
    await person.say("Work")
    await person.reads("Busy")
    await person.page.set_viewport_size({"width": 390, "height": 480})
    await person.field.fill("\n".join(f"line {number}" for number in range(30)))
    await expect(person.field).to_be_in_viewport()
    await expect(person.button("Queue")).to_be_in_viewport(ratio=1)
    await expect(person.button("Stop")).to_be_in_viewport(ratio=1)
    size = await person.field.evaluate("(node) => parseFloat(getComputedStyle(node).fontSize)")
    assert size >= 16
    gate.set()
    await person.sees_state("Idle")


async def test_the_page_is_as_high_as_a_keyboard_over_it_leaves(house: House, meet: Meet) -> None:
    """In a browser that lays its keyboard over the page and tells by its visual viewport."""
    person = await meet(f"{house.url}/#/new", phone=True)
    await person.page.add_init_script(f"({STUBBED_VIEWPORT})()")
    await person.page.reload()
    app = person.page.locator(".app")

    async def high(height: int, scale: float, shown: int) -> None:
        await person.page.evaluate("(to) => window.sight(to)", {"height": height, "scale": scale})
        await expect(app).to_have_js_property("clientHeight", shown)

    await high(480, 1, 480)
    await person.field.fill("\n".join(f"line {number}" for number in range(30)))
    send = await person.button("Send").bounding_box()
    assert send is not None
    assert send["y"] + send["height"] <= 480
    await high(240, 2, 480)  # enlarged with two fingers, not covered
    await high(844, 1, 844)


async def test_a_phone_shows_the_plan_as_a_chip(house: House, meet: Meet) -> None:
    items = [{"id": "1", "content": "Look around", "status": "in_progress"}]
    house.model.play(Reply(calls=[CallScript("plan", {"items": items})]))
    person = await meet(f"{house.url}/#/new", phone=True)
    await person.say("Plan it")
    chip = person.page.get_by_role("region", name="Plan")
    await expect(chip).to_contain_text("Plan 0 of 1")
    await chip.get_by_role("button").click()
    await expect(chip.get_by_role("listitem")).to_contain_text("Look around")
    await person.sees_state("Idle")


async def test_the_theme_follows_the_system_until_somebody_chooses(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url, theme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    body = person.page.locator("body")
    light = await person.page.evaluate(ground)
    await person.page.emulate_media(color_scheme="dark")
    await expect(body).not_to_have_css("background-color", light)
    dark = await person.page.evaluate(ground)
    await person.page.get_by_role("combobox", name="Theme").select_option("light")
    await expect(body).to_have_css("background-color", light)
    await person.page.get_by_role("combobox", name="Theme").select_option("system")
    await expect(body).to_have_css("background-color", dark)


async def test_who_wants_less_motion_sees_none(house: House, meet: Meet) -> None:
    wait = "echo waiting; while [ ! -e go ]; do sleep 0.05; done"
    house.model.play(Reply(calls=[CallScript("bash", {"command": wait})]))
    person = await meet(house.url)
    await person.say("Work")
    await expect(person.printed()).to_contain_text("waiting")
    moving = "() => document.getAnimations().filter((one) => one.playState === 'running').length"
    await person.page.wait_for_function(f"() => ({moving})() > 0")
    await person.page.emulate_media(reduced_motion="reduce")
    await person.page.wait_for_function(f"() => ({moving})() === 0")
    await person.button("Stop").click()
    await person.sees_state("Idle")


async def test_a_newcomer_on_a_phone_is_told_what_this_is(own_house: House, meet: Meet) -> None:
    person = await meet(own_house.url, phone=True)
    await expect(person.welcome).to_be_visible()
    await expect(person.page.get_by_role("link", name="All sessions")).to_have_count(0)
    await person.page.get_by_role("button", name="Look through the workspace").click()
    await person.reads("All right, that is done.")
    await person.page.get_by_role("link", name="All sessions").click()
    await expect(person.list.get_by_role("listitem")).to_have_count(1)
