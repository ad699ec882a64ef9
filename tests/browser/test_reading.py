"""Reading while it grows: the end follows a reader who is there, and no other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.browser.person import Person
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LINES = "\n\n".join(f"Line {number}." for number in range(100))
LEFT_BELOW = "(node) => node.scrollHeight - node.scrollTop - node.clientHeight"
AT_THE_END = f"(node) => ({LEFT_BELOW})(node) < 2"
STILL_AT = """async (node) => {
  const top = () => node.getBoundingClientRect().top;
  for (let last; last !== top(); await new Promise(requestAnimationFrame)) last = top();
  return top();
}"""
HOLD = """(node) => {
  const { get, set } = Object.getOwnPropertyDescriptor(Element.prototype, 'scrollTop');
  const held = (value) => [value, 0].forEach((one) => set.call(node, one));
  Object.defineProperty(node, 'scrollTop', { get: () => get.call(node), set: held });
  node.dispatchEvent(new WheelEvent('wheel', { deltaY: -1, bubbles: true }));
  node.scrollTo(0, 0);
}"""
"""To the top, and back to it whenever the page moves them down."""
FRAME = "() => new Promise((painted) => requestAnimationFrame(painted))"
LEAVE_BELOW = """(node, left) => new Promise((painted) => {
  node.scrollTo(0, node.scrollHeight - node.clientHeight - left);
  requestAnimationFrame(() => requestAnimationFrame(painted));
})"""
PRESS = "(node, key) => node.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
"""A key that the browser itself does nothing about."""
MORE = 150
"""Lines that are written while a reader goes up: more than they can take."""


async def at_the_end(person: Person) -> None:
    scroller = await person.conversation.element_handle()
    await person.page.wait_for_function(AT_THE_END, arg=scroller)


async def at_the_end_of_fifty(house: House, meet: Meet) -> Person:
    """Who has opened a session of fifty turns, "Question 0." and so on."""
    async with Api(house.url) as api:
        session = await api.session("A long history")
        for number in range(50):
            await api.submit(
                session, {"type": "user_input", "id": f"u{number}", "text": f"Question {number}."}
            )
    await house.model.request_arrived(50)  # none of them waits to be said
    person = await meet(f"{house.url}/#/s/{session}")
    await expect(person.page.get_by_text("Question 49.", exact=True)).to_be_in_viewport()
    return person


async def test_the_end_follows_a_reader_who_is_there(house: House, meet: Meet) -> None:
    gate = Gate()
    text = LINES + "\n\nOne more."
    pieces = [LINES, "\n\nOne more."]
    house.model.play(Reply(text=text, pieces=pieces, hold={1: gate}))
    person = await meet(house.url)
    await person.say("Write a lot")
    await expect(person.page.get_by_text("Line 99.", exact=True)).to_be_in_viewport()
    gate.set()
    await expect(person.page.get_by_text("One more.", exact=True)).to_be_in_viewport()
    await person.sees_state("Idle")
    await expect(person.button("Copy answer")).to_be_in_viewport()
    await at_the_end(person)


async def test_a_reader_further_up_is_left_where_they_are(house: House, meet: Meet) -> None:
    gate = Gate()
    echo = CallScript("bash", {"command": "echo A sound"})
    house.model.play(Reply(text=LINES, pieces=[LINES], calls=[echo], hold={1: gate}))
    person = await meet(house.url)
    await person.say("Write a lot")
    await expect(person.page.get_by_text("Line 99.", exact=True)).to_be_in_viewport()
    await person.conversation.evaluate("(node) => node.scrollTo(0, 0)")
    await expect(person.button("To the end")).to_be_visible()
    line = person.page.get_by_text("Line 3.", exact=True)
    before = await line.evaluate(STILL_AT)
    gate.set()
    await expect(person.button("2 new")).to_be_visible()
    await person.sees_state("Idle")
    assert abs(await line.evaluate(STILL_AT) - before) < 2
    await person.button("2 new").click()
    await expect(person.page.get_by_text("All right, that is done.")).to_be_in_viewport()
    await at_the_end(person)


async def test_a_wheel_turned_upwards_leaves_the_end_while_it_grows(
    house: House, meet: Meet
) -> None:
    gate = Gate()
    pieces = [LINES, "\n\nOne more."]
    house.model.play(Reply(text="".join(pieces), pieces=pieces, hold={1: gate}))
    person = await meet(house.url)
    await person.say("Write a lot")
    await expect(person.page.get_by_text("Line 99.", exact=True)).to_be_in_viewport()
    await person.conversation.hover()
    await person.page.mouse.wheel(0, -300)
    await expect(person.button("To the end")).to_be_visible()
    gate.set()
    await person.sees_state("Idle")
    more = person.page.get_by_text("One more.", exact=True)
    await expect(more).to_have_count(1)
    await expect(more).not_to_be_in_viewport()


class Growing:
    """A reply that grows by a line with each frame, for as long as something else takes."""

    def __init__(self) -> None:
        self._gates = [Gate() for _ in range(MORE)]
        pieces = [LINES, *(f"\n\nMore {number}." for number in range(MORE))]
        self.reply = Reply(pieces=pieces, hold=dict(enumerate(self._gates, start=1)))

    async def during(self, page: Page, act: Awaitable[object]) -> None:
        acting = asyncio.ensure_future(act)
        for gate in self._gates:
            await gate.reached.wait()
            await page.evaluate(FRAME)
            gate.set()
            if acting.done():
                break
        await acting

    def end(self) -> None:
        for gate in self._gates:
            gate.set()


async def by_finger(person: Person) -> None:
    """Slowly: five pixels with each frame."""
    box = await person.conversation.bounding_box()
    assert box is not None
    finger = await person.page.context.new_cdp_session(person.page)
    start = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 3}
    for step in range(30):
        at = {**start, "y": start["y"] + 5 * step}
        touch = {"type": "touchMove" if step else "touchStart", "touchPoints": [at]}
        await finger.send("Input.dispatchTouchEvent", touch)
        await person.page.evaluate(FRAME)
    await finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


async def by_key(person: Person) -> None:
    await person.conversation.focus()
    await person.page.keyboard.press("ArrowUp")
    for _ in range(10):
        await person.page.evaluate(FRAME)


async def by_scrollbar(person: Person) -> None:
    for _ in range(20):
        await person.conversation.evaluate("(node) => node.scrollBy(0, -6)")
        await person.page.evaluate(FRAME)


@pytest.mark.parametrize(
    ("go_up", "phone"), [(by_finger, True), (by_key, False), (by_scrollbar, False)]
)
async def test_who_goes_up_slowly_leaves_the_end_while_it_grows(
    house: House, meet: Meet, go_up: Callable[[Person], Awaitable[None]], phone: bool
) -> None:
    growing = Growing()
    house.model.play(growing.reply)
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Write a lot")
    await expect(person.page.get_by_text("Line 99.", exact=True)).to_be_in_viewport()
    await growing.during(person.page, go_up(person))
    await expect(person.button("To the end")).to_be_visible()
    growing.end()
    await person.sees_state("Idle")
    last = person.page.get_by_text(f"More {MORE - 1}.", exact=True)
    await expect(last).to_have_count(1)
    await expect(last).not_to_be_in_viewport()
    await person.page.locator(".pill").click()
    await expect(last).to_be_in_viewport()
    await at_the_end(person)


@pytest.mark.parametrize("up", ["ArrowUp", "PageUp", "Home"])
async def test_a_key_that_goes_up_leaves_the_end_before_anything_has_moved(
    house: House, meet: Meet, up: str
) -> None:
    """What grows would end the browser's own motion before it has begun."""
    house.model.play(Reply(text=LINES, pieces=[LINES]))
    person = await meet(house.url)
    await person.say("Write a lot")
    await expect(person.page.get_by_text("Line 99.", exact=True)).to_be_in_viewport()
    await person.sees_state("Idle")
    for key, left in (("ArrowDown", 0), (up, 1)):
        await person.conversation.evaluate(PRESS, key)
        await expect(person.button("To the end")).to_have_count(left)


@pytest.mark.parametrize(("left", "follows"), [(48, True), (49, False)])
async def test_the_end_is_within_48_pixels_of_it(
    house: House, meet: Meet, left: int, follows: bool
) -> None:
    gate = Gate()
    pieces = [LINES, "\n\nOne more."]
    house.model.play(Reply(text="".join(pieces), pieces=pieces, hold={1: gate}))
    person = await meet(house.url)
    await person.say("Write a lot")
    await expect(person.page.get_by_text("Line 99.", exact=True)).to_be_in_viewport()
    for below in (200, left):
        await person.conversation.evaluate(LEAVE_BELOW, below)
    await expect(person.button("To the end")).to_have_count(0 if follows else 1)
    gate.set()
    await person.sees_state("Idle")
    await expect(person.button("Copy answer")).to_have_count(1)
    if follows:
        await at_the_end(person)
    else:
        assert await person.conversation.evaluate(LEFT_BELOW) > left


async def test_a_long_session_shows_its_end_first_and_the_rest_on_the_way_up(
    house: House, meet: Meet
) -> None:
    person = await at_the_end_of_fifty(house, meet)
    first = person.page.get_by_text("Question 0.", exact=True)
    await expect(first).to_have_count(0)
    held = person.page.get_by_text("Question 25.", exact=True)
    await held.scroll_into_view_if_needed()
    await person.conversation.evaluate("(node) => node.scrollBy(0, -200)")
    await person.climb("Question 0.")
    await first.scroll_into_view_if_needed()
    await expect(first).to_be_in_viewport()
    await expect(person.button("Show earlier messages")).to_have_count(0)


async def test_who_holds_the_bar_at_the_top_is_given_all_that_is_before(
    house: House, meet: Meet
) -> None:
    person = await at_the_end_of_fifty(house, meet)
    await person.conversation.evaluate(HOLD)
    await expect(person.page.get_by_text("Question 0.", exact=True)).to_have_count(1)


async def test_a_closed_card_shows_the_last_lines_of_a_flood(house: House, meet: Meet) -> None:
    flood = "seq 1 30000; while [ ! -e go ]; do sleep 0.05; done"
    house.model.play(Reply(calls=[CallScript("bash", {"command": flood})]))
    person = await meet(house.url)
    await person.say("Print a lot")
    await expect(person.printed()).to_contain_text("30000")
    assert len(await person.tool("bash").inner_text()) < 4_000
    await person.button("Stop").click()
    await person.sees_state("Idle")
