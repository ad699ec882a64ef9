"""What a research does is seen under its card: while it goes on, and folded away afterwards."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import House, Meet
from tests.model_server import CallScript, Gate, Reply
from tests.stories.scene import calls

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_steps_of_a_research_are_seen_and_unfold(house: House, meet: Meet) -> None:
    gate = Gate()
    look = CallScript("read", {"path": "tides.txt"})
    write = CallScript("write", {"path": "answer.txt", "content": "Noon."})
    house.model.play(calls(CallScript("research", {"task": "When is high water?"})))
    house.model.play(calls(look, write), Reply(text="At noon.", hold={"start": gate}))
    house.model.play(Reply(text="It is at noon."))
    person = await meet(house.url)
    await person.say("When is high water?")
    card = person.page.get_by_role("article", name="research, running")
    await card.get_by_role("button", name="2 steps").click()
    read = card.get_by_role("button", name="read tides.txt failed")
    await read.click()
    await expect(card.get_by_text("There is no file")).to_be_visible()
    await expect(card.get_by_role("button", name="write answer.txt rejected")).to_be_visible()
    gate.set()
    await person.reads("It is at noon.")
    done = person.page.get_by_role("article", name="research, done")
    await expect(done.get_by_role("button", name="2 steps")).to_be_visible()
