"""Around the job: the list in order, files in and out, what is announced, and the keys."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Route, expect

from tests.api import Api
from tests.browser.conftest import House, Meet

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."


async def test_enter_opens_what_was_found_for_the_words_that_stand_there(
    house: House, meet: Meet
) -> None:
    async with Api(house.url) as api:
        owl = await api.session("A barn owl")
        await api.session("Newer than the owl")
    person = await meet(house.url)
    await expect(person.list.get_by_role("link", name="Newer than the owl")).to_be_visible()
    await person.search.fill("barn")
    await person.search.press("Enter")
    await expect(person.page.locator(".top")).to_contain_text("A barn owl")
    address = f"{house.url}/#/s/{owl}"
    await expect(person.page).to_have_url(address)
    await person.search.fill("nothing is called this")
    await person.search.press("Enter")
    await expect(person.list).to_contain_text("Nothing found")
    assert person.page.url == address


async def test_a_message_waits_for_the_files_beside_it(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    goes = asyncio.Event()

    async def held(route: Route) -> None:
        await goes.wait()
        await route.continue_()

    await person.page.route("**/files", held)
    notes: FilePayload = {"name": "slow.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await person.say("Read it")
    await expect(person.button("Uploading…")).to_be_disabled()
    await expect(person.field).to_have_value("Read it")
    goes.set()
    await person.button("Send").click()
    await expect(person.conversation.get_by_role("link", name="slow.txt")).to_be_visible()


async def test_sessions_are_renamed_found_and_deleted_with_a_way_back(
    house: House, meet: Meet
) -> None:
    async with Api(house.url) as api:
        await api.session("Not to be found")
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await person.menu("Rename")
    field = person.page.get_by_role("textbox", name="Title")
    await field.fill("Thursday's harvest")
    # The page shows a title before the server has it, which is to find it.
    async with person.page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await field.press("Enter")
    rows = person.list.get_by_role("listitem").filter(has_text="Thursday's harvest")
    await expect(rows).to_have_count(1)
    await expect(person.list.get_by_role("listitem")).to_have_count(2)
    await person.page.keyboard.press("Control+k")
    await expect(person.search).to_be_focused()
    await person.search.fill("harvest")
    await expect(person.list.get_by_role("listitem")).to_have_count(1)
    await expect(rows).to_have_count(1)
    await person.takes_their_time()
    await person.menu("Delete session")
    await expect(rows).to_have_count(0)
    await person.page.locator(".toasts").get_by_role("button", name="Undo").click()
    await rows.get_by_role("link").click()
    await person.reads(DONE)


async def test_files_go_in_with_a_message_and_come_out_again(
    house: House, meet: Meet, tmp_path: Path
) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    notes: FilePayload = {"name": "my notes.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await expect(person.button("Do not attach my notes.txt")).to_be_visible()
    await person.say("Read them")
    link = person.conversation.get_by_role("link", name="my notes.txt")
    async with person.page.expect_download() as download:
        await link.click()
    await (await download.value).save_as(tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"five eggs"
    await person.menu("Files")
    await expect(person.page.get_by_role("dialog")).to_contain_text("my notes.txt")


async def test_a_file_can_be_the_first_thing_in_a_session(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.field.fill("Read this")
    notes: FilePayload = {"name": "first.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await expect(person.button("Do not attach first.txt")).to_be_visible()
    await expect(person.field).to_have_value("Read this")


async def test_files_that_are_dropped_on_the_page_are_attached(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    address = person.page.url
    assert await person.drops("beside.txt", ".side")
    assert await person.drops("dropped.txt", "main")
    for name in ("beside.txt", "dropped.txt"):
        await expect(person.button(f"Do not attach {name}")).to_be_visible()
    assert person.page.url == address


async def test_a_file_that_is_dropped_before_there_is_a_session_begins_one(
    house: House, meet: Meet
) -> None:
    person = await meet(f"{house.url}/#/new")
    await person.field.fill("Read this")
    assert await person.drops("first.txt", ".side")
    await expect(person.button("Do not attach first.txt")).to_be_visible()
    await expect(person.field).to_have_value("Read this")
    await person.session()


async def test_a_file_that_nobody_takes_is_not_opened_in_place_of_the_page(
    house: House, meet: Meet
) -> None:
    person = await meet(f"{house.url}/#/dashboard")
    for place in ("main", ".side"):
        assert await person.drops("stray.txt", place)
    await expect(person.page.get_by_role("heading", name="Dashboard")).to_be_visible()


async def test_a_conversation_is_exported(house: House, meet: Meet, tmp_path: Path) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await person.sees_state("Idle")  # what is still being written is in no log
    async with person.page.expect_download() as download:
        await person.menu("Export as Markdown")
    await (await download.value).save_as(tmp_path / "out.md")
    assert DONE in (tmp_path / "out.md").read_text()


async def test_the_keys_are_listed_and_the_theme_is_kept(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await expect(person.field).to_be_focused()
    await person.field.blur()
    await person.page.keyboard.press("?")
    await expect(person.page.get_by_role("dialog")).to_contain_text("Stop the running turn")
    await person.page.keyboard.press("Escape")
    await expect(person.page.get_by_role("dialog")).to_have_count(0)
    await person.page.get_by_role("combobox", name="Theme").select_option("dark")
    await person.page.reload()
    root = person.page.locator("html")
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(person.page.get_by_role("combobox", name="Theme")).to_have_value("dark")


async def test_what_was_begun_in_a_session_is_there_on_coming_back(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    address = person.page.url
    notes: FilePayload = {"name": "kept.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await expect(person.button("Do not attach kept.txt")).to_be_visible()
    await person.button("Edit").click()
    await expect(person.dock).to_contain_text("Sending undoes the last turn")
    await person.page.evaluate("() => { location.hash = '#/new'; }")
    await expect(person.button("Do not attach kept.txt")).to_have_count(0)
    await person.page.goto(address)
    await expect(person.button("Do not attach kept.txt")).to_be_visible()
    await expect(person.dock).to_contain_text("Sending undoes the last turn")
    await expect(person.field).to_have_value("Hello")
