"""Files on their way in: pasted, watched, cancelled, refused and tried again."""

import re
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.conftest import PHONE_TOO, House, Meet
from tests.browser.lines import lines_to
from tests.faults.proxy import Line, Way
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
PASTE = """(field, [name, type]) => {
  const carried = new DataTransfer();
  carried.items.add(new File(['five eggs'], name, {type}));
  const how = {clipboardData: carried, bubbles: true, cancelable: true};
  const event = new ClipboardEvent("paste", how);
  field.dispatchEvent(event);
}"""
DROP_LARGE = """(page, [name, size]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(size)], name));
  page.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
}"""
LARGE = 40 * 1024 * 1024
"""Bytes: several times what the kernel takes of a connection that nobody reads."""
CLOGGED_AFTER = LARGE // 8


class Clogged(Way):
    """The way up, on which nothing moves any more after so many bytes."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    @property
    def left(self) -> int:
        if self.passed >= self._after:
            self.flows.clear()
        return super().left


def notes(name: str, size: int = 9) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": b"x" * size}


async def test_a_file_that_is_pasted_is_attached_and_text_is_just_text(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await person.field.evaluate(PASTE, ["screenshot.png", "image/png"])
    await expect(person.button("Do not attach screenshot.png")).to_be_visible()
    await expect(person.field).to_have_value("")
    await person.say("What is on it?")
    await expect(person.conversation.get_by_role("link", name="screenshot.png")).to_be_visible()


@PHONE_TOO
async def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(
    house: House, meet: Meet, phone: bool
) -> None:
    async with lines_to(house.url) as lines:
        person = await meet(f"{lines.url}/#/new", phone=phone, offline=True)
        await person.say("Hello")
        await person.reads(DONE)
        lines.lay = lambda: Line(Clogged(CLOGGED_AFTER))
        lines.sever()  # whatever goes up from now on goes on a new line
        await person.page.locator("main").evaluate(DROP_LARGE, ["slow.txt", LARGE])
        meter = person.page.get_by_role("meter", name="slow.txt")
        await expect(meter).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
        await expect(person.button("Uploading…")).to_be_disabled()
        await person.button("Cancel slow.txt").click()
        await expect(meter).to_have_count(0)
        await person.field.fill("Without it, then")
        await expect(person.button("Send")).to_be_enabled()


async def test_an_upload_that_was_refused_says_why_and_can_be_tried_again(
    tmp_path: Path, meet: Meet
) -> None:
    config = {**CONFIG, "limits": {**CONFIG["limits"], "upload_mib": 1}}
    async with StoryModel() as model, Server(tmp_path, model.url, config=config) as server:
        person = await meet(server.url, offline=True)
        await person.say("Hello")
        await person.reads(DONE)
        files = person.page.locator(".composer input[type=file]")
        await files.set_input_files(notes("large.txt", 2 * 1024 * 1024))
        refused = person.dock.get_by_role("alert")
        await expect(refused).to_contain_text("large.txt was not uploaded.")
        await expect(refused).to_contain_text("Split the file")
        await person.button("Do not attach large.txt").click()
        await person.page.route("**/files", lambda route: route.abort())
        await files.set_input_files(notes("small.txt"))
        await expect(refused).to_contain_text("The connection was lost before the file was there.")
        await person.page.unroute("**/files")
        await person.button("Upload small.txt again").click()
        await expect(refused).to_have_count(0)
        await expect(person.button("Do not attach small.txt")).to_be_visible()  # it is there
        await person.say("Read it")
        await expect(person.conversation.get_by_role("link", name="small.txt")).to_be_visible()
