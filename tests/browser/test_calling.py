"""Calling someone who looks elsewhere, and how far calls may run without asking."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, WebSocket, expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.browser.person import Person
from tests.model_server import CallScript, Gate, Reply, Tokens
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
ASK = CallScript("bash", {"command": "echo first # please-ask"})
LISTEN = """(given) => {
  window.calls = [];
  window.Notification = class {
    static permission = given;
    static requestPermission = async () => (Notification.permission = 'granted');
    constructor(title, {body}) { this.title = title; this.body = body; calls.push(this); }
    close() {}
  };
  window.away = false;
  Object.defineProperty(document, 'hidden', {get: () => window.away});
}"""
CALLS = "() => calls.map(({title, body}) => `${title} ${body}`)"


async def listening(house: House, meet: Meet, given: str) -> Person:
    """Someone whose browser has a permission for notifications, and tells which it showed."""
    person = await meet("about:blank")
    await person.page.add_init_script(f"({LISTEN})('{given}')")
    told = asyncio.Event()  # what waits already is no news

    def hear(socket: WebSocket) -> None:
        socket.once("framereceived", lambda _: told.set())

    person.page.on("websocket", hear)
    await person.page.goto(house.url)
    await told.wait()
    await expect(person.list.get_by_text("Loading")).to_have_count(0)
    await expect(person.welcome).to_be_visible()
    return person


async def test_who_looks_elsewhere_is_called_once_and_led_to_the_question(
    own_house: House, meet: Meet
) -> None:
    person = await listening(own_house, meet, "granted")
    await person.page.evaluate("() => { away = true; }")
    own_house.model.play(Reply(calls=[ASK]))
    async with Api(own_house.url) as api:
        session = await api.session("Far away")
        await api.submit(session, {"type": "user_input", "id": "u1", "text": "Do it"})
    await person.page.wait_for_function("() => calls.length > 0")
    (call,) = await person.page.evaluate(CALLS)
    assert "Far away" in call
    await expect(person.page).to_have_title("(1) Mooring")
    await person.page.evaluate("() => { away = false; calls[0].onclick(); }")
    await person.approve()
    await person.reads(DONE)
    await expect(person.page).to_have_title("Mooring")
    assert len(await person.page.evaluate(CALLS)) == 1


async def test_who_looks_at_the_page_is_not_called(own_house: House, meet: Meet) -> None:
    person = await listening(own_house, meet, "granted")
    own_house.model.play(Reply(calls=[ASK]))
    await person.say("Do it")
    await expect(person.page).to_have_title("(1) Mooring")
    await person.approve()
    await person.reads(DONE)
    assert await person.page.evaluate(CALLS) == []


@pytest.mark.parametrize(
    ("given", "told"), [("default", "Notifications are on"), ("denied", "blocks")]
)
async def test_a_browser_is_asked_for_notifications_by_a_click_alone(
    house: House, meet: Meet, given: str, told: str
) -> None:
    person = await listening(house, meet, given)
    await person.say("Hello")
    await person.reads(DONE)
    await person.menu("Notify me")
    await expect(person.page.locator(".toasts")).to_contain_text(told)


async def test_calls_run_without_asking_up_to_what_a_person_allows(
    tmp_path: Path, meet: Meet
) -> None:
    models = {"openai/test-model": {"prices": {"input": 1.0, "output": 0.0}}}
    async with (
        StoryModel() as model,
        Server(tmp_path, model.url, config={**CONFIG, "models": models}) as server,
    ):
        person = await meet(server.url, offline=True)
        await person.say("Hello")
        await person.reads(DONE)
        await person.page.get_by_role("switch", name="Auto-approve").check()
        cap = person.page.get_by_role("textbox", name="Up to (USD)")
        await cap.fill("0.5")
        await cap.press("Enter")
        told = person.page.get_by_text("Approvals are given automatically from here on.")
        await expect(told).to_have_count(2)  # without a cap, and with one
        await person.page.reload()
        await expect(cap).to_have_value("0.5")
        async with Api(server.url) as api:
            session = await person.session()
            given = [event.get("auto_approval") for event in await api.events(session)]
        assert [one for one in given if one][-1] == {"enabled": True, "cost_cap_usd": 0.5}
        model.play(Reply(calls=[ASK], usage=Tokens(prompt=1)))
        await person.say("Do it")
        await expect(person.cards("done")).to_have_count(1)
        await person.sees_state("Idle")
        model.play(Reply(calls=[ASK], usage=Tokens(prompt=600_000)))
        await person.say("Do it again, whatever it costs")
        await expect(person.question()).to_be_visible()
        await person.approve()
        await expect(person.cards("done")).to_have_count(2)


async def test_a_queued_message_is_edited_with_its_files(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Busy just now.", hold={1: gate}))
    person = await meet(house.url)
    await person.say("Work")
    await person.reads("Busy")
    notes: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await expect(person.button("Do not attach notes.txt")).to_be_visible()
    await person.say("Read it")
    await expect(person.queue).to_contain_text("1 file")
    await expect(person.button("Do not attach notes.txt")).to_have_count(0)
    await person.queue.get_by_role("button", name="Edit").click()
    await expect(person.field).to_have_value("Read it")
    await expect(person.button("Do not attach notes.txt")).to_be_visible()
    await expect(person.queue).to_have_count(0)
    await person.say("Read it twice")
    await expect(person.queue).to_contain_text("1 file")
    gate.set()
    await expect(person.conversation.get_by_role("link", name="notes.txt")).to_have_count(1)
    await person.sees_state("Idle")
