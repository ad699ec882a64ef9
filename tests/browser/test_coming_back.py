"""Leaving and coming back: reload, second device, lost server; nothing lost, nothing twice."""

import pytest
from playwright.async_api import expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.browser.person import Person
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ASKING = Reply(text="May I?", calls=[CallScript("bash", {"command": "echo ran # please-ask"})])


async def session_of(person: Person) -> str:
    await person.page.wait_for_url("**/#/s/*")
    return person.page.url.rsplit("/", 1)[1]


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
    live = await person.transcript()
    await person.page.reload()
    await person.reads("Half of this is written already.")
    assert await person.transcript() == live


async def test_two_devices_see_one_truth(house: House, meet: Meet) -> None:
    house.model.play(ASKING)
    desk = await meet(house.url)
    await desk.say("Do it")
    await desk.sees_state("Needs you")
    phone = await meet(desk.page.url, phone=True)
    await phone.reads("May this run?")
    await expect(desk.dock).to_contain_text("2 viewers")
    await phone.page.locator(".approval").get_by_role("button", name="Approve").click()
    for person in (desk, phone):
        await expect(person.page.locator(".approval")).to_have_count(0)
        await person.reads("All right, that is done.")
    assert await desk.transcript() == await phone.transcript()


async def test_a_question_outlives_the_server(own_house: House, meet: Meet) -> None:
    own_house.model.play(ASKING)
    person = await meet(own_house.url, offline=True)
    await person.say("Do it")
    await person.sees_state("Needs you")
    await own_house.server.restart()
    await person.page.locator(".approval").get_by_role("button", name="Approve").click()
    await person.reads("All right, that is done.")
    await expect(person.page.locator(".tool.is-ok")).to_have_count(1)


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
    assert await person.transcript() == await fresh.transcript()
    await person.say("Go on")
    await person.reads("All right, that is done.")


async def test_what_was_said_without_a_server_is_sent_once(own_house: House, meet: Meet) -> None:
    person = await meet(own_house.url, offline=True)
    await person.say("Hello")
    await person.reads("All right, that is done.")
    await own_house.server.kill9()
    await person.say("Are you there?")
    await expect(person.page.get_by_text("Will be sent when")).to_be_visible()
    await person.page.keyboard.press("Escape")
    await own_house.server.start()
    await expect(person.conversation.get_by_text("Are you there?")).to_have_count(1)
    await expect(person.page.locator(".outgoing")).to_have_count(0)
    session = await session_of(person)
    async with Api(own_house.url) as api:
        events = await api.events(session)
    said = [event["text"] for event in events if event["type"] == "user_message"]
    assert said == ["Hello", "Are you there?"]


async def test_a_deleted_session_says_so(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("All right, that is done.")
    async with Api(house.url) as api:
        await api.call("DELETE", f"/api/sessions/{await session_of(person)}")
    await expect(person.dock).to_contain_text("There is no such session.")


async def test_the_list_and_the_dashboard_are_live(house: House, meet: Meet) -> None:
    watcher = await meet(f"{house.url}/#/dashboard")
    async with Api(house.url) as api:
        session = await api.session("Watched from afar")
        row = watcher.page.locator("tr", has_text="Watched from afar")
        await expect(row).to_contain_text("Idle")
        house.model.play(ASKING)
        await api.submit(session, {"type": "user_input", "id": "u1", "text": "Do it"})
    await expect(row).to_contain_text("Needs you")
    entry = watcher.page.locator(".session", has_text="Watched from afar")
    await expect(entry).to_contain_text("Needs you")
    await row.get_by_role("link").click()
    await watcher.reads("May this run?")


async def test_older_events_are_fetched_when_asked_for(house: House, meet: Meet) -> None:
    """A log that is too large to send: more than 2 MiB."""
    async with Api(house.url) as api:
        session = await api.session("A long history")
        person = await meet(f"{house.url}/#/s/{session}")
        for number in range(25):
            await api.submit(
                session,
                {"type": "user_input", "id": f"u{number}", "text": f"{number}:" + "x" * 99_000},
            )
        while (row := await api.look(session))["state"] != "idle" or row["queue"]:
            pass
    await person.page.reload()
    older = person.button("Show earlier messages")
    await expect(older).to_be_visible()
    for _ in range(5):
        if await older.is_visible():
            first = await person.conversation.locator(".user").first.element_handle()
            await older.click()
            await person.page.wait_for_function(
                "(first) => document.querySelector('.user') !== first", arg=first
            )
    said = await person.page.locator(".user .bubble").all_text_contents()
    assert [text.partition(":")[0] for text in said] == [str(number) for number in range(25)]
    await expect(older).to_be_hidden()
