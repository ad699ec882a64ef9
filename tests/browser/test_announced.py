"""What a screen reader hears: boundaries, each once, from one place, and never a growing text."""

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import House, Meet
from tests.browser.lines import SilentLines, lines_to
from tests.browser.person import Person
from tests.faults.proxy import Line
from tests.model_server import CallScript, Gate, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
ASKING = Reply(text="May I?", calls=[CallScript("bash", {"command": "echo ran # please-ask"})])
REFUSED = Reply(status=400, body={"error": {"message": "No such thing."}})
LIVE = "[aria-live], [role=status], [role=log]"


def heard(person: Person) -> Locator:
    """The announcements, oldest first."""
    return person.page.get_by_role("status").locator("p")


async def test_only_boundaries_are_announced(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Forty-two is the answer.", hold={1: gate}))
    person = await meet(house.url)
    await person.say("What is the answer?")
    await person.reads("Forty-tw")
    await expect(heard(person)).to_have_count(0)
    gate.set()
    await expect(heard(person)).to_have_text(["The answer is complete."])
    await expect(person.field).to_be_focused()


async def test_a_turn_that_was_stopped_or_failed_is_not_called_complete(
    house: House, meet: Meet
) -> None:
    house.model.play(Reply(text="This goes on.", hold={1: Gate()}), REFUSED)
    person = await meet(house.url)
    await person.say("Talk")
    await person.reads("This go")
    await expect(person.button("Stop")).to_be_visible()
    await person.page.keyboard.press("Escape")
    await expect(heard(person)).to_have_text(["Stopped."])
    await person.say("Talk again")
    await expect(heard(person)).to_have_text(["Stopped.", "The turn failed."])


async def test_an_approval_that_is_needed_is_announced_and_its_end(
    house: House, meet: Meet
) -> None:
    house.model.play(ASKING)
    person = await meet(house.url)
    await person.say("Do it")
    await expect(heard(person)).to_have_text(["Approval needed: bash."])
    await person.approve()
    await person.reads(DONE)
    await expect(heard(person)).to_have_text(["Approval needed: bash.", "The answer is complete."])


async def test_a_summary_is_not_called_an_answer(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await expect(heard(person)).to_have_count(1)
    await person.say("Hello again")
    await expect(heard(person)).to_have_count(2)
    house.model.play(Reply(text="They said hello twice."))
    await person.menu("Summarise to free context")
    await person.reads("Summarised:")
    await person.sees_state("Idle")
    await expect(heard(person)).to_have_text(["The answer is complete."] * 2)


async def test_a_lost_connection_is_announced_and_its_return(house: House, meet: Meet) -> None:
    async with lines_to(house.url) as lines:
        person = await meet(lines.url, offline=True)
        await person.say("Hello")
        await expect(heard(person)).to_have_text(["The answer is complete."])
        lines.lay = silent = SilentLines()
        lines.sever()
        await silent.dialled.wait()
        told = ["The answer is complete.", "Reconnecting."]
        await expect(heard(person)).to_have_text(told)
        lines.lay = Line
        lines.sever()
        await expect(heard(person)).to_have_text([*told, "Connected again."])


async def test_what_the_page_says_aside_is_spoken_once_and_from_one_place(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await person.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await person.say("Hello")
    await expect(heard(person)).to_have_text(["The answer is complete."])
    await person.takes_their_time()
    for _ in range(2):
        await person.button("Copy answer").click()
    await expect(person.page.locator(".toast")).to_have_text(["Copied"])
    await expect(heard(person)).to_have_text(["The answer is complete.", "Copied", "Copied"])
    await expect(person.page.locator(LIVE)).to_have_count(1)
