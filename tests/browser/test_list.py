"""The list of sessions: what each does now, how it failed, what it is called, and more of them."""

import asyncio
from functools import partial

import pytest
from playwright.async_api import Locator, Route, WebSocket, expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.browser.person import Person
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ASK = CallScript("bash", {"command": "echo first # please-ask"})
REFUSED = Reply(status=404, body={"error": {"message": "no such luck"}})
HURRY = """async (addresses) => {
  for (const to of addresses) {
    const gone = new Promise((heard) => addEventListener('hashchange', heard, {once: true}));
    location.hash = to;
    await gone;
  }
}"""


def entry(person: Person, title: str) -> Locator:
    return person.list.get_by_role("listitem").filter(has_text=title)


async def test_each_session_says_what_it_does_also_when_nobody_looks_at_it(
    own_house: House, meet: Meet
) -> None:
    person = await meet(own_house.url)
    gate = Gate()
    async with Api(own_house.url) as api:
        for title, reply in (
            ("It fails", REFUSED),
            ("It asks", Reply(calls=[ASK])),
            ("It works", Reply(text="Busy just now.", hold={1: gate})),
        ):
            session = await api.session(title)
            own_house.model.play(reply)
            await api.submit(session, {"type": "user_input", "id": "u", "text": "Go"})
            badge = {"It fails": "Failed", "It asks": "Needs you", "It works": "Working"}[title]
            await expect(entry(person, title).locator(".badge")).to_have_text(badge)
    await expect(person.list).to_contain_text("1 session needs you")
    await expect(person.list.get_by_role("listitem").first).to_contain_text("It asks")
    await person.page.reload()
    await expect(entry(person, "It fails").locator(".badge")).to_have_text("Failed")
    gate.set()
    await expect(entry(person, "It works").locator(".badge")).to_have_count(0)
    await entry(person, "It fails").get_by_role("link").click()
    await person.sees_state("Failed")
    await person.button("Undo").click()
    await expect(entry(person, "It fails").locator(".badge")).to_have_count(0)


async def test_a_title_comes_by_itself_and_is_edited_where_it_stands(
    house: House, meet: Meet
) -> None:
    house.model.play_plain(Reply(text="Eggs on Thursday"))
    person = await meet(house.url)
    await person.say("How many eggs on Thursday?")
    title = person.page.locator(".top h1")
    await expect(title).to_have_text("Eggs on Thursday")
    current = person.list.locator("[aria-current=page]")
    await expect(current).to_contain_text("Eggs on Thursday")
    await title.get_by_role("button").click()
    field = person.page.get_by_role("textbox", name="Title")
    await expect(field).to_be_focused()
    await field.fill("Not this")
    await field.press("Escape")
    await expect(title).to_have_text("Eggs on Thursday")
    await person.button("Actions for Eggs on Thursday").click()
    await person.page.get_by_role("menuitem", name="Rename").click()
    await field.fill("Eggs on Friday")
    async with person.page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await field.press("Enter")
        await expect(title).to_have_text("Eggs on Friday")
    async with Api(house.url) as api:
        assert (await api.look(await person.session()))["title"] == "Eggs on Friday"


async def test_what_was_deleted_is_gone_for_good_once_the_offer_has_passed(
    house: House, meet: Meet
) -> None:
    passed = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "DELETE":
            await passed.wait()
        await route.continue_()

    async with Api(house.url) as api:
        session = await api.session("No longer needed")
        person = await meet(house.url)
        await person.page.route("**/api/sessions/*", hold)
        await person.button("Actions for No longer needed").click()
        async with person.page.expect_response(
            lambda answer: answer.request.method == "DELETE"
        ) as gone:
            offer = expect(person.page.locator(".toasts"))
            await asyncio.gather(  # it goes by its own clock
                offer.to_contain_text("“No longer needed” is deleted."),
                person.page.get_by_role("menuitem", name="Delete").click(),
            )
            assert (await api.look(session))["title"] == "No longer needed"
            passed.set()
        assert (await gone.value).status == 204
        assert (await api.get(f"/api/sessions/{session}")).status == 404
    await expect(entry(person, "No longer needed")).to_have_count(0)


async def test_older_sessions_are_within_reach(own_house: House, meet: Meet) -> None:
    async with Api(own_house.url) as api:
        for number in range(51):
            await api.session(f"Number {number}.")
    person = await meet(own_house.url)
    await expect(person.list.get_by_role("listitem")).to_have_count(50)
    await person.button("Show older sessions").click()
    await expect(entry(person, "Number 0.")).to_have_count(1)
    await expect(person.button("Show older sessions")).to_have_count(0)


def leads_to(session: str, socket: WebSocket) -> bool:
    return session in socket.url


async def test_a_page_has_one_socket_for_its_list_and_one_for_the_session_on_screen(
    house: House, meet: Meet
) -> None:
    async with Api(house.url) as api:
        sessions = [await api.session(f"Number {number}") for number in range(3)]
    person = await meet("about:blank")
    opened: list[WebSocket] = []
    person.page.on("websocket", lambda socket: opened.append(socket))
    await person.page.goto(f"{house.url}/#/s/{sessions[0]}")
    await expect(entry(person, "Number 2")).to_have_count(1)
    await person.sees_state("Idle")
    await person.takes_their_time()  # with lines that open late
    for session in (*sessions[1:], sessions[0]):
        before = [socket for socket in opened if "/sessions/" in socket.url]
        async with person.page.expect_websocket(partial(leads_to, session)):
            await person.page.evaluate("(to) => { location.hash = to; }", f"#/s/{session}")
        for socket in before:
            if not socket.is_closed():
                await socket.wait_for_event("close")
    open_now = [one.url.split("?")[0].rsplit("/api/")[1] for one in opened if not one.is_closed()]
    assert sorted(open_now) == ["dashboard/socket", f"sessions/{sessions[0]}/socket"]


async def test_who_goes_through_sessions_faster_than_they_open_leaves_no_error_behind(
    house: House, meet: Meet
) -> None:
    """Nor a socket: what is left while it opens is closed once it is open."""
    async with Api(house.url) as api:
        sessions = [await api.session(f"Number {number}") for number in range(6)]
    person = await meet(house.url)
    await expect(entry(person, "Number 5")).to_have_count(1)
    opened: list[WebSocket] = []
    person.page.on("websocket", lambda socket: opened.append(socket))
    await person.takes_their_time()  # with lines that open late
    await person.page.evaluate(HURRY, [f"#/s/{session}" for session in sessions])
    await person.sees_state("Idle")
    await expect(person.page.locator(".top h1")).to_have_text("Number 5")
    assert len(opened) == len(sessions)
    for socket in opened[:-1]:
        if not socket.is_closed():
            await socket.wait_for_event("close")
    assert not opened[-1].is_closed()
