"""Lines that are cut, stall or die unnoticed: the page comes back with the whole truth."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.browser.lines import Back, Journey, Lines, SilentLines, lines_to
from tests.browser.person import Person
from tests.faults.proxy import Line
from tests.model_server import CallScript, Gate, Reply
from tests.oracle import Frame

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
ASKING = Reply(text="May I?", calls=[CallScript("bash", {"command": "echo ran # please-ask"})])
CUTS = 10


@pytest_asyncio.fixture(loop_scope="session")
async def lines(house: House) -> AsyncIterator[Lines]:
    async with lines_to(house.url) as lines:
        yield lines


async def stored(house: House, person: Person) -> list[Frame]:
    """The session's log as the server exports it."""
    async with Api(house.url) as api:
        path = f"/api/sessions/{await person.session()}/export"
        answer = await api.get(path, format="jsonl")
    return [json.loads(line) for line in answer.body.decode().splitlines()]


async def test_a_stream_that_is_cut_again_and_again_is_read_whole_and_once(
    house: House, lines: Lines, meet: Meet
) -> None:
    person = await meet(lines.url, offline=True)
    back = Back(person.page)
    journey = Journey(lines, CUTS, seed=1)
    house.model.play(journey.reply)
    await person.say("Write")
    await journey.travel(back)
    await person.reads(journey.text)
    await person.sees_state("Idle")
    answers = [event["text"] for event in await stored(house, person) if "item" in event]
    assert answers == [journey.text]
    shown = person.conversation.locator(".prose")
    assert [text.strip() for text in await shown.all_text_contents()] == answers
    fresh = await meet(person.page.url.replace(lines.url, house.url))
    await fresh.reads(journey.text)
    await fresh.shows(await person.transcript())


@pytest.mark.parametrize("phone", [False, True])
async def test_a_line_that_died_unnoticed_is_found_out_and_what_was_said_is_said_once(
    house: House, lines: Lines, meet: Meet, phone: bool
) -> None:
    person = await meet(f"{lines.url}/#/new", phone=phone, offline=True)
    await person.page.clock.install()
    await person.page.reload()
    await person.say("Hello")
    await person.reads(DONE)
    await person.sees_state("Idle")
    lines.swallow()
    await person.say("Are you there?")
    await expect(person.conversation).to_contain_text("Are you there?")
    await person.page.clock.fast_forward("01:00")
    await expect(person.conversation.get_by_text(DONE)).to_have_count(2)
    said = [event["text"] for event in await stored(house, person) if "author" in event]
    assert said == ["Hello", "Are you there?"]


async def test_a_server_that_takes_the_call_and_says_nothing_is_called_again(
    house: House, lines: Lines, meet: Meet
) -> None:
    person = await meet(lines.url, offline=True)
    await person.page.clock.install()
    await person.page.reload()
    await person.say("Hello")
    await person.reads(DONE)
    lines.lay = silent = SilentLines()
    lines.sever()
    await silent.dialled.wait()
    await person.say("Are you there?")
    await expect(person.conversation).to_contain_text("Are you there?")
    lines.lay = Line
    await person.page.clock.fast_forward("00:11")
    await person.page.clock.fast_forward("00:31")
    await expect(person.conversation.get_by_text(DONE)).to_have_count(2)


async def test_a_phone_that_slept_for_an_hour_wakes_up_to_the_truth(
    house: House, lines: Lines, meet: Meet
) -> None:
    gate = Gate()
    house.model.play(Reply(text="Half of this was said.", hold={1: gate}))
    phone = await meet(f"{lines.url}/#/new", phone=True, offline=True)
    await phone.page.clock.install()
    await phone.page.reload()
    await phone.say("Write")
    await phone.reads("Half of")
    sleeping = await phone.page.context.new_cdp_session(phone.page)
    await sleeping.send("Page.setWebLifecycleState", {"state": "frozen"})
    lines.swallow()
    gate.set()
    desk = await meet(phone.page.url.replace(lines.url, house.url))
    await desk.reads("Half of this was said.")
    await desk.say("Another hour, another question")
    await desk.reads(DONE)
    await sleeping.send("Page.setWebLifecycleState", {"state": "active"})
    await phone.page.clock.fast_forward("01:00:00")
    await phone.reads(DONE)
    await phone.sees_state("Idle")
    await phone.shows(await desk.transcript())


async def test_who_is_offline_is_told_so_and_what_will_be_sent_later(
    house: House, lines: Lines, meet: Meet
) -> None:
    person = await meet(lines.url, offline=True)
    await person.say("Hello")
    await person.reads(DONE)
    await person.sees_state("Idle")
    await lines.go_offline(person.page)
    for text in ("First", "Second"):
        await person.say(text)
        waiting = person.conversation.get_by_role("article").filter(has_text=text)
        await expect(waiting).to_contain_text("Will be sent when the connection is back")
    await expect(person.dock).to_contain_text("You are offline. What you send is kept.")
    await expect(person.dock).to_contain_text("2 messages are sent when it is back.")
    await expect(person.dock).to_contain_text(re.compile(r"Next try in \d+ s\.|Trying"))
    await expect(person.dock).not_to_contain_text(re.compile("refresh|reload", re.IGNORECASE))
    await person.sees_state("Idle")
    await lines.come_back(person.page)
    await expect(person.conversation.get_by_text(DONE)).to_have_count(3)
    log = await stored(house, person)
    said = [event["text"] for event in log if event["type"] == "user_message"]
    assert said == ["Hello", "First", "Second"]


async def test_what_is_said_is_seen_to_be_sent_before_it_is_confirmed(
    house: House, lines: Lines, meet: Meet
) -> None:
    person = await meet(lines.url, offline=True)
    await person.say("Hello")
    await person.reads(DONE)
    lines.stall()
    await person.say("Are you there?")
    waiting = person.conversation.get_by_role("article").filter(has_text="Are you there?")
    await expect(waiting).to_contain_text("Sent, not yet confirmed")
    lines.flow()
    await expect(person.conversation.get_by_text(DONE)).to_have_count(2)
    await expect(waiting).not_to_contain_text("Sent")


async def test_what_is_pressed_offline_is_seen_to_wait_and_done_once(
    house: House, lines: Lines, meet: Meet
) -> None:
    person = await meet(lines.url, offline=True)
    await person.say("Hello")
    await person.reads(DONE)
    await expect(person.button("Undo")).to_be_visible()
    await lines.go_offline(person.page)
    await person.button("Undo").click()
    await expect(person.dock).to_contain_text(
        "Sent when the connection is back: undo the last turn."
    )
    await expect(person.button("Undo")).to_have_count(0)
    await lines.come_back(person.page)
    await person.reads("1 turn was undone")
    await expect(person.dock).not_to_contain_text("when the connection is back")
    undone = [one for one in await stored(house, person) if one["type"] == "turn_undone"]
    assert len(undone) == 1


async def test_decisions_are_counted_beside_messages_among_what_is_sent_later(
    house: House, lines: Lines, meet: Meet
) -> None:
    house.model.play(ASKING)
    person = await meet(lines.url, offline=True)
    await person.page.clock.install()
    await person.page.reload()
    await person.say("Do it")
    await expect(person.question()).to_be_visible()
    await lines.go_offline(person.page)
    await person.approve()
    await expect(person.question()).to_contain_text("sent when")
    await person.page.clock.fast_forward("00:11")
    await expect(person.dock).to_contain_text("1 decision is sent when it is back.")
    await person.say("And then this")
    await expect(person.dock).to_contain_text("1 message and 1 decision are sent when it is back.")
    await lines.come_back(person.page)
    await person.reads(DONE)
    await expect(person.cards("done")).to_have_count(1)


async def test_a_decision_that_waited_too_long_is_asked_for_again(
    house: House, lines: Lines, meet: Meet
) -> None:
    house.model.play(ASKING)
    person = await meet(lines.url, offline=True)
    await person.page.clock.install()
    await person.page.reload()
    await person.say("Do it")
    await expect(person.question()).to_be_visible()
    lines.lay = silent = SilentLines()
    lines.sever()
    await silent.dialled.wait()
    await person.approve()
    await expect(person.question()).to_contain_text("sent when")
    await person.page.clock.fast_forward("11:00")
    lines.lay = Line
    lines.sever()
    await expect(person.aside("was not sent")).to_be_visible()
    await expect(person.cards("asks first")).to_have_count(1)
    await person.approve()
    await person.reads(DONE)


async def test_who_rules_too_late_sees_what_was_ruled(
    house: House, lines: Lines, meet: Meet
) -> None:
    house.model.play(ASKING)
    late = await meet(lines.url, offline=True)
    await late.say("Do it")
    await expect(late.question()).to_be_visible()
    early = await meet(late.page.url.replace(lines.url, house.url))
    await expect(early.question()).to_be_visible()
    lines.stall()
    await early.question().get_by_role("button", name="Reject").click()
    await early.question().get_by_role("button", name="Reject").click()
    await expect(early.question()).to_have_count(0)
    await late.approve()
    await expect(late.question()).to_contain_text("Sending")
    lines.flow()
    await expect(late.aside("Somebody else was first")).to_be_visible()
    for person in (early, late):
        await person.reads(DONE)
        await expect(person.cards("rejected")).to_have_count(1)
    await late.shows(await early.transcript())


async def test_two_tabs_that_rule_at_the_same_time_run_the_call_once(
    house: House, meet: Meet
) -> None:
    house.model.play(ASKING)
    one = await meet(house.url)
    await one.say("Do it")
    await expect(one.question()).to_be_visible()
    other = await meet(one.page.url)
    await expect(other.question()).to_be_visible()
    press = "() => document.querySelector('[data-approve]')?.click()"
    await asyncio.gather(one.page.evaluate(press), other.page.evaluate(press))
    for person in (one, other):
        await person.reads(DONE)
        await expect(person.cards("done")).to_have_count(1)
    ran = [event for event in await stored(house, one) if event["type"] == "tool_started"]
    assert len(ran) == 1
