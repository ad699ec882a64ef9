"""Bad luck and bad input: log-ins that end, full storage, wrong clocks, and far too much text."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.api import Api
from tests.browser.conftest import House, Meet
from tests.browser.lines import Guarded, lines_to
from tests.browser.test_screens import STICKS_OUT
from tests.faults.proxy import Line
from tests.model_server import CallScript, Reply
from tests.serving import Server
from tests.stories.scene import CONFIG, UNTIL_GO, StoryModel, form

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
FULL = """() => {
  const full = () => { throw new DOMException('full', 'QuotaExceededError'); };
  IDBObjectStore.prototype.put = full;
  IDBObjectStore.prototype.add = full;
  Storage.prototype.setItem = full;
}"""
FLOOD = "i=0; while [ ! -e go ]; do seq $i $((i + 1000)); i=$((i + 1000)); sleep 0.1; done"
"""Ten thousand lines a second."""
LONG = 300_000
WHOLE = "(long) => document.querySelector('.prose')?.textContent.split('y').length - 1 === long"


async def created(server: Server) -> tuple[str, str]:
    """A new token of Ada's: its id, and the secret itself."""
    status, printed = await server.command(
        *("token", "create", "--user", "ada", "--data-dir", str(server.data))
    )
    assert status == 0, printed
    status, listed = await server.command("token", "list", "--data-dir", str(server.data))
    assert status == 0, listed
    return listed.strip().splitlines()[-1].split()[0], printed.strip().splitlines()[-1]


async def test_a_log_in_that_ended_is_said_and_nothing_written_is_lost(
    tmp_path: Path, meet: Meet
) -> None:
    async with StoryModel() as model, Server(tmp_path, model.url, config=CONFIG) as first:
        id, secret = await created(first)
        await first.restart()
        async with lines_to(first.url) as lines:
            lines.lay = lambda: Line(Guarded(secret))
            person = await meet(lines.url, offline=True)
            await person.say("Hello")
            await person.reads(DONE)
            await person.field.fill("Half a thought")
            _, other = await created(first)
            await first.command("token", "revoke", id, "--data-dir", str(first.data))
            await expect(person.dock).to_contain_text("Your log-in is no longer valid.")
            await expect(person.field).to_have_value("Half a thought")
            await person.say("A whole thought")
            lines.lay = lambda: Line(Guarded(other))
            await person.dock.get_by_role("button", name="Try again").click()
            await expect(person.conversation.get_by_text(DONE)).to_have_count(2)
            await expect(person.conversation.get_by_text("A whole thought")).to_have_count(1)
            await person.sees_state("Idle")


async def test_who_has_no_log_in_is_told_so_and_what_to_do(tmp_path: Path, meet: Meet) -> None:
    async with StoryModel() as model, Server(tmp_path, model.url, config=CONFIG) as server:
        await created(server)
        await server.restart()
        person = await meet(server.url, offline=True)
        await expect(person.dock).to_contain_text("this page has no log-in yet")
        await expect(person.field).to_be_disabled()
        await expect(person.list).to_contain_text("You are not logged in")


async def test_with_a_full_storage_the_page_works_and_says_what_is_at_stake(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await person.page.add_init_script(f"({FULL})()")
    await person.page.reload()
    await person.say("Hello")
    await person.reads(DONE)
    await person.field.fill("Not yet sent")
    await expect(person.dock).to_contain_text("This browser stores nothing here")
    await person.page.get_by_role("combobox", name="Theme").select_option("dark")
    await expect(person.page.locator("html")).to_have_attribute("data-theme", "dark")


def five_minutes_before(moment: str) -> str:
    return (datetime.fromisoformat(moment) - timedelta(minutes=5)).isoformat()


@pytest.mark.parametrize("year", ["1999", "2199"])
async def test_a_clock_that_is_years_wrong_tells_no_wrong_times(
    house: House, meet: Meet, year: str
) -> None:
    house.model.play(Reply(calls=[CallScript("bash", {"command": UNTIL_GO})]))
    async with Api(house.url) as api:
        older = await api.session(f"From a while ago, seen in {year}")

        async def aged(route: Route) -> None:
            answer = await route.fetch()
            page = await answer.json()
            for session in page["sessions"]:
                if session["id"] == older:
                    session["active_at"] = five_minutes_before(session["active_at"])
                    session["head"] += 1  # newer than what the socket tells
            await route.fulfill(response=answer, json=page)

        person = await meet(house.url)
        await person.page.route("**/api/sessions?*", aged)
        await person.page.clock.install(time=f"{year}-05-05T05:05:05Z")
        await person.page.reload()
        await person.say("Hello")
        card = person.tool("bash")
        state = card.locator(".tool-state")
        await expect(state).to_have_text(re.compile(r"^running\s*[1-9]\d? s$"))
        await expect(person.list.locator("[aria-current=page] time")).to_have_text("now")
        row = person.list.get_by_role("listitem").filter(has_text=f"seen in {year}")
        await expect(row.locator("time")).to_have_text(re.compile(r"^[456] min$"))
        session = await person.session()
        await api.good("POST", f"/api/sessions/{session}/files", data=form("go", b""))
        await person.reads(DONE)
        await expect(state).to_have_text(re.compile(r"^done\s*\d+(\.\d)?(?: min \d+)? s$"))
        await person.sees_state("Idle")
        await person.page.unroute_all(behavior="wait")


@pytest.mark.parametrize("phone", [False, True])
async def test_a_line_without_an_end_is_shown_and_the_page_stays_usable(
    house: House, meet: Meet, phone: bool
) -> None:
    printing = f"head -c {LONG} /dev/zero | tr '\\0' x; echo the end"
    house.model.play(
        Reply(
            text="y" * LONG,
            pieces=["y" * LONG],
            calls=[CallScript("bash", {"command": printing})],
        )
    )
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Write a long line")
    await person.reads(DONE)
    await person.sees_state("Idle")
    await expect(person.printed()).to_contain_text("the end")
    assert await person.page.evaluate(STICKS_OUT) == []
    await person.page.wait_for_function(WHOLE, arg=LONG)
    assert await person.page.evaluate(STICKS_OUT) == []
    await person.say("And now?")
    await expect(person.conversation.get_by_text(DONE)).to_have_count(2)


@pytest.mark.parametrize("phone", [False, True])
async def test_ten_thousand_lines_a_second_leave_the_page_usable(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(calls=[CallScript("bash", {"command": FLOOD})]))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Print without end")
    card = person.tool("bash")
    await expect(person.printed()).to_contain_text("5000")
    await person.field.fill("Enough")
    await expect(person.field).to_have_value("Enough")
    await person.button("Stop").click()
    await expect(person.cards("cancelled")).to_have_count(1)
    await person.sees_state("Idle")
    async with Api(house.url) as api:
        events = await api.events(await person.session())
    output = next(event for event in events if event["type"] == "tool_output")
    last = output["output"].split()[-1]
    await card.get_by_role("button").first.click()
    await expect(card).to_contain_text(last)
