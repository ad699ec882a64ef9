"""Long sessions: the end is there first, what stands is true at once, the rest on the way up."""

import json
from typing import Any

import pytest
from playwright.async_api import Locator, WebSocket, expect

from tests.browser.conftest import House, Meet
from tests.browser.person import Person
from tests.browser.test_reading import STILL_AT
from tests.client import Viewer
from tests.model_server import CallScript, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LAST = "The last words of a long turn."
STEPS = [
    {"id": "1", "content": "Look at everything", "status": "completed"},
    {"id": "2", "content": "Tell what I saw", "status": "completed"},
]
LOOKS = [CallScript("read", {"path": f"missing-{number}.txt"}) for number in range(240)]
AT_ONCE = 40
"""More events in one turn than a page begins with, in several replies."""
FULL = 55
"""Fewer than the rows that are on a page in the end, more than a window shows."""
WATCH = """() => {
  window.drawn = [];
  const look = () => {
    const rows = document.querySelectorAll('.entries .entry').length;
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector('.scroller') ?? {};
    if (rows > 0) window.drawn.push({rows, below: scrollHeight - scrollTop - clientHeight});
    requestAnimationFrame(look);
  };
  look();
}"""
TOP_OF = "(node) => node.getBoundingClientRect().top"
COME_TO = f"""(node) => {{
  node.scrollIntoView();
  return [node.dataset.key, ({TOP_OF})(node)];
}}"""


async def begun(person: Person, house: House) -> None:
    """A session with a plan, a setting, and then a very long turn."""
    plan = Reply(calls=[CallScript("plan", {"items": STEPS})])
    house.model.play(plan, Reply(text="I made a plan."))
    await person.say("Make a plan")
    await person.reads("I made a plan.")
    await person.page.get_by_role("switch").check()
    await person.reads("given automatically")
    parts = [LOOKS[start : start + AT_ONCE] for start in range(0, len(LOOKS), AT_ONCE)]
    house.model.play(*[Reply(calls=calls, whole_calls=True) for calls in parts], Reply(text=LAST))
    await person.say("Look at everything")
    await person.reads(LAST)
    await person.sees_state("Idle")


async def reopened(person: Person) -> list[dict[str, Any]]:
    """Reload; fills with the frames of the session's socket."""
    frames: list[dict[str, Any]] = []

    def hear(socket: WebSocket) -> None:
        if "/sessions/" in socket.url:
            socket.on("framereceived", lambda data: frames.append(json.loads(data)))

    person.page.on("websocket", hear)
    await person.page.reload()
    await person.sees_state("Idle")
    return frames


async def climb(person: Person) -> Locator:
    """Scroll up until nothing is further up; the first question."""
    await person.climb("Make a plan")
    return person.page.locator(".bubble").get_by_text("Make a plan", exact=True)


async def test_a_long_session_begins_at_its_end_and_is_whole_on_the_way_up(
    house: House, meet: Meet
) -> None:
    person = await meet(f"{house.url}/#/new")
    await begun(person, house)
    await climb(person)
    live = await person.transcript()
    frames = await reopened(person)
    await expect(person.page.get_by_text(LAST).last).to_be_in_viewport()
    assert frames[0]["mode"] == "tail"
    assert 0 < sum("seq" in frame and "at" in frame for frame in frames) <= 500
    await expect(person.page.get_by_role("complementary")).to_contain_text("Tell what I saw")
    await expect(person.page.get_by_role("switch")).to_be_checked()
    await expect(person.page.get_by_text("Make a plan")).to_have_count(0)
    await expect(await climb(person)).to_have_count(1)
    await expect(person.button("Show earlier messages")).to_have_count(0)
    await expect(person.tool("read")).to_have_count(len(LOOKS))
    await person.shows(live)


async def test_what_is_in_sight_is_drawn_first_and_the_rest_above_it_without_a_jump(
    house: House, meet: Meet
) -> None:
    person = await meet(f"{house.url}/#/new")
    await begun(person, house)
    dialled: list[str] = []
    person.page.on("websocket", lambda socket: dialled.append(socket.url))
    await person.page.add_init_script(f"({WATCH})()")
    await person.page.reload()
    await person.sees_state("Idle")
    await expect(person.page.get_by_text(LAST).last).to_be_in_viewport()
    await person.page.wait_for_function("(rows) => window.drawn.at(-1).rows > rows", arg=FULL)
    drawn = await person.page.evaluate("() => window.drawn")
    assert drawn[0]["rows"] <= 25
    assert max(abs(frame["below"]) for frame in drawn) < 2
    await expect(person.page.get_by_text(LAST).last).to_be_in_viewport()
    assert [url.split("?")[1] for url in dialled if "/sessions/" in url] == ["after=0&most=200"]


async def test_what_is_read_stays_where_it_is_while_older_turns_come(
    house: House, meet: Meet
) -> None:
    person = await meet(f"{house.url}/#/new")
    await begun(person, house)
    await reopened(person)
    cards = person.tool("read")
    while (known := await cards.count()) < len(LOOKS):
        key, before = await cards.nth(3).evaluate(COME_TO)
        line = person.page.locator(f'[data-key="{key}"]')
        await expect(cards).not_to_have_count(known)
        await expect(person.button("Loading earlier messages…")).to_have_count(0)
        assert abs(await line.evaluate(STILL_AT) - before) < 2


async def test_the_last_turn_can_be_edited_and_undone_where_its_beginning_is_not_loaded(
    house: House, meet: Meet
) -> None:
    person = await meet(f"{house.url}/#/new")
    await begun(person, house)
    await reopened(person)
    await person.button("Edit").click()
    await expect(person.field).to_have_value("Look at everything")
    await person.button("Keep it as it was").click()
    await reopened(person)
    await person.button("Undo").click()
    await expect(person.conversation.get_by_text(LAST)).to_have_count(0)
    await person.reads("I made a plan.")
    fresh = await meet(person.page.url)
    await expect(fresh.conversation.get_by_text("I made a plan.")).to_have_count(1)


async def test_a_question_is_there_however_much_came_after_it(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[CallScript("bash", {"command": "echo ran # please-ask"})]))
    person = await meet(f"{house.url}/#/new")
    await person.say("Do it")
    await person.sees_state("Needs you")
    async with Viewer(house.url, await person.session()) as viewer:
        await viewer.synced()
        frames = [
            {"type": "set_auto_approval", "id": f"a{n}", "enabled": False} for n in range(520)
        ]
        for answer in [await viewer.send(frame) for frame in frames]:
            assert (await viewer.answer(answer, within=30))["type"] == "accepted"
    fresh = await meet(person.page.url)
    await expect(fresh.button("Approve").first).to_be_visible()
    await fresh.button("Show").first.click()
    await expect(fresh.question()).to_be_in_viewport()
    await fresh.approve()
    await fresh.reads("All right, that is done.")
    await fresh.sees_state("Idle")
