"""Whoever wrote it, a text on the page is a text."""

import pytest
from playwright.async_api import FilePayload, expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.model_server import CallScript, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script><b style='color:red'>x</b>"
FOREIGN = """() => [...document.querySelectorAll('img, script, b, iframe, svg')]
  .filter((node) => !node.src?.endsWith('/static/app.js')).length"""


async def test_markup_from_model_tools_people_and_files_stays_text(
    house: House, meet: Meet
) -> None:
    plan = {"items": [{"id": "1", "content": EVIL, "status": "in_progress"}]}
    echo = {"command": f'echo "{EVIL}" # please-ask', "description": EVIL}
    house.model.play(
        Reply(text=EVIL, reasoning=EVIL, calls=[CallScript("plan", plan)]),
        Reply(text=f"```html\n{EVIL}\n```", calls=[CallScript("bash", echo)]),
        Reply(text=f"[x](javascript:alert(1)) {EVIL}"),
    )
    async with Api(house.url) as api:
        session = await api.session(EVIL)
    person = await meet(f"{house.url}/#/s/{session}")
    await expect(person.page.locator(".top h1")).to_have_text(EVIL)
    file: FilePayload = {"name": "<b>x.txt", "mimeType": "text/plain", "buffer": b""}
    await person.page.locator(".composer input[type=file]").set_input_files(file)
    await person.say(EVIL)
    await person.page.locator(".approval").get_by_role("button", name="Approve").click()
    await person.reads("[x](javascript:alert(1))")
    await person.sees_state("Idle")
    await person.page.locator(".plan summary").click()
    for card in await person.page.locator(".tool summary").all():
        await card.click()
    await expect(person.tool("bash").locator(".output")).to_contain_text("<img src=x")
    await person.menu("Files")
    assert await person.page.evaluate(FOREIGN) == 0
