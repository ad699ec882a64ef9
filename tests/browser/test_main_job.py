"""The whole job by hand: ask, watch, stop, take back, queue and choose."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE_TOO, House, Meet
from tests.model_server import CallScript, Gate, Reply
from tests.stories.scene import UNTIL_GO

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""
LIVE = "[aria-live]:not([aria-live=off]), [role=log], [role=status]"


def bash(command: str) -> CallScript:
    return CallScript("bash", {"command": command})


async def test_a_newcomer_is_told_what_this_is_and_one_click_begins(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await expect(person.welcome).to_be_visible()
    await person.page.get_by_role("button", name="Look through the workspace").click()
    await person.reads(DONE)
    await person.sees_state("Idle")
    assert "Look through" in house.model.requests[-1].last_user_text


async def test_the_answer_is_seen_while_it_is_written(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Forty-two is the answer.", reasoning="Hm, hm.", hold={3: gate}))
    person = await meet(house.url)
    await person.say("What is the answer?")
    await person.reads("Forty-two")
    await person.sees_state("Working")
    live = person.page.locator(LIVE)
    await expect(live).not_to_have_count(0)
    spoken = await live.evaluate_all(
        "(all) => all.filter((one) => document.querySelector('.conversation').contains(one)"
        " || one.contains(document.querySelector('.conversation'))).length"
    )
    assert spoken == 0, "what streams is not read aloud"
    gate.set()
    await person.reads("Forty-two is the answer.")
    await person.sees_state("Idle")
    await person.button("Thought · 2 words").click()
    await person.reads("Hm, hm.")


@PHONE_TOO
async def test_a_stop_ends_the_answer_and_keeps_what_was_said(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(text="This goes on and on.", hold={2: Gate()}))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Talk")
    await person.reads("This goes on and")
    await expect(person.button("Stop")).to_be_visible()
    await (person.button("Stop").click() if phone else person.page.keyboard.press("Escape"))
    await person.reads("Stopped.")
    await person.sees_state("Idle")
    await person.reads("This goes on and")
    await house.model.client_left()


async def test_a_running_command_shows_what_it_prints_and_stops(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(UNTIL_GO)]))
    person = await meet(house.url)
    await person.say("Wait for me")
    card = person.tool("bash")
    await expect(person.printed()).to_contain_text("waiting")
    await expect(card).to_contain_text("running")
    await person.button("Stop").click()
    await expect(card).to_contain_text("cancelled")
    await person.sees_state("Idle")


async def test_an_open_card_shows_arguments_and_the_whole_output(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash("seq 1 40")]))
    person = await meet(house.url)
    await person.say("Count")
    card = person.tool("bash")
    await expect(person.printed()).to_contain_text("40")
    await expect(card.get_by_text("Arguments")).to_be_hidden()
    head = card.get_by_role("button").first
    await expect(head).to_have_attribute("aria-expanded", "false")
    await head.click()
    await expect(head).to_have_attribute("aria-expanded", "true")
    await expect(card.get_by_text("Arguments")).to_be_visible()
    await expect(person.printed()).to_contain_text("25")
    await person.reads(DONE)


async def test_an_image_that_a_call_made_is_shown(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(f"echo {DOT} | base64 -d > dot.png; echo wrote dot.png")]))
    person = await meet(house.url)
    await person.say("Draw a dot")
    await person.reads(DONE)
    image = person.page.get_by_role("img", name="Image dot.png")
    await expect(image).to_be_visible()
    await expect(image).to_have_js_property("naturalWidth", 1)
    await person.button("Enlarge dot.png").click()
    await expect(person.page.get_by_role("dialog")).to_be_visible()
    await expect(person.page.locator("dialog:modal")).to_have_count(1)
    await person.page.keyboard.press("Escape")
    await expect(person.page.get_by_role("dialog")).to_have_count(0)
    await expect(person.button("Enlarge dot.png")).to_be_focused()


@PHONE_TOO
async def test_a_turn_is_undone_and_stays_within_reach(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(text="A poor answer."))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("A poor question")
    await person.reads("A poor answer.")
    await person.button("Undo").click()
    await expect(person.page.get_by_text("A poor answer.")).to_have_count(0)
    await person.button("1 turn was undone").click()
    await person.reads("A poor answer.")
    await person.button("Edit and run again").click()
    await expect(person.field).to_have_value("A poor question")


@PHONE_TOO
async def test_a_turn_is_tried_again(house: House, meet: Meet, phone: bool) -> None:
    house.model.play(Reply(text="A first answer."), Reply(text="A second answer."))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("A question")
    await person.reads("A first answer.")
    await person.button("Try again").click()
    await person.reads("A second answer.")
    await expect(person.page.get_by_text("A first answer.")).to_have_count(0)


@PHONE_TOO
async def test_a_question_is_edited_and_run_again(house: House, meet: Meet, phone: bool) -> None:
    house.model.play(Reply(text="About cats."), Reply(text="About dogs."))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Tell me about cats")
    await person.reads("About cats.")
    await person.button("Edit").click()
    await expect(person.field).to_have_value("Tell me about cats")
    await expect(person.dock).to_contain_text("Sending undoes the last turn")
    await person.say("Tell me about dogs")
    await person.reads("About dogs.")
    await expect(person.page.get_by_text("About cats.")).to_have_count(0)
    assert "cats" not in str(house.model.requests[-1].messages)


@PHONE_TOO
async def test_an_edit_that_is_given_up_brings_back_what_was_being_written(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(text="About cats."))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Tell me about cats")
    await person.reads("About cats.")
    await person.field.fill("And half a thought")
    await person.button("Edit").click()
    await expect(person.field).to_have_value("Tell me about cats\n\nAnd half a thought")
    await person.button("Keep it as it was").click()
    await expect(person.field).to_have_value("And half a thought")
    await expect(person.dock).not_to_contain_text("Sending undoes the last turn")


@PHONE_TOO
async def test_what_is_written_meanwhile_waits_in_sight(
    house: House, meet: Meet, phone: bool
) -> None:
    gate = Gate()
    house.model.play(Reply(text="Busy just now.", hold={1: gate}))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Work")
    await person.reads("Busy")
    await person.say("And then this")
    await person.say("And that")
    await person.say("And never this")
    rows = person.queue.get_by_role("listitem")
    await expect(rows).to_have_count(3)
    await rows.nth(2).get_by_role("button", name="Withdraw").click()
    await expect(rows).to_have_count(2)
    await rows.first.get_by_role("button", name="Edit").click()
    await expect(person.field).to_have_value("And then this")
    await person.field.fill("")
    await expect(rows).to_have_count(1)
    gate.set()
    await person.reads("And that")
    await expect(person.queue).to_have_count(0)
    await person.sees_state("Idle")
    assert (await house.model.request_arrived(2)).last_user_text == "And that"


@PHONE_TOO
async def test_a_queued_message_can_join_the_running_turn(
    house: House, meet: Meet, phone: bool
) -> None:
    gate = Gate()
    house.model.play(Reply(text="Let me see.", calls=[bash("true")], hold={1: gate}))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Work")
    await person.reads("Let me")
    await person.say("Look at the small print")
    await person.queue.get_by_role("button", name="Steer now").click()
    await expect(person.queue).to_contain_text("Joins soon")
    await person.field.fill("And at the margin")
    steer = person.page.locator(".composer").get_by_role("button", name="Steer now")
    await (steer.click() if phone else person.field.press("Control+Enter"))
    await expect(person.queue.get_by_text("Joins soon")).to_have_count(2)
    gate.set()
    await expect(person.conversation.get_by_text("joined the running turn")).to_have_count(2)
    await person.reads(DONE)
    assert len(house.model.requests) == 2


@PHONE_TOO
async def test_a_stop_holds_the_queue_until_someone_says_continue(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(text="Busy just now.", hold={1: Gate()}))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Work")
    await person.reads("Busy")
    await person.say("And then this")
    await expect(person.queue).to_contain_text("And then this")
    await person.button("Stop").click()
    await expect(person.queue).to_contain_text("On hold")
    await person.button("Continue").click()
    await person.reads("And then this")
    await person.reads(DONE)


async def test_a_conversation_is_summarised_when_asked(house: House, meet: Meet) -> None:
    house.model.play_plain(Reply(text="A title"), Reply(text="They said hello."))
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads(DONE)
    await house.model.plain_request_arrived()
    await person.menu("Summarise")
    await person.reads("Summarised:")
    await person.button("What the agent keeps in mind").click()
    await person.reads("They said hello.")


async def test_approvals_can_be_given_automatically(house: House, meet: Meet) -> None:
    house.model.play(Reply(text="Ready."), Reply(calls=[bash("echo first # please-ask")]))
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("Ready.")
    await person.page.get_by_role("switch", name="Auto-approve").check()
    await person.reads("Approvals are given automatically from here on.")
    await person.say("Run something")
    await person.reads(DONE)
    await expect(person.cards("done")).to_have_count(1)


async def test_a_failed_turn_says_why_and_can_be_tried_again(house: House, meet: Meet) -> None:
    cut = Reply(text="I was about to", cut_after=1)
    house.model.play(cut, Reply(text="This time it worked."))
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("This turn failed.")
    await person.sees_state("Failed")
    note = person.conversation.get_by_role("complementary", name="")
    await note.get_by_role("button", name="Try again").click()
    await person.reads("This time it worked.")


async def test_a_plan_is_followed_beside_the_conversation(house: House, meet: Meet) -> None:
    steps = [("Look", "completed"), ("Think", "in_progress"), ("Do", "pending")]
    items = [{"id": name, "content": name, "status": status} for name, status in steps]
    house.model.play(Reply(calls=[CallScript("plan", {"items": items})]))
    person = await meet(house.url)
    await person.say("Plan it")
    panel = person.page.get_by_role("region", name="Plan")
    await expect(panel).to_contain_text("1 of 3")
    await expect(panel.locator("[aria-current=step]")).to_contain_text("Think")
    await person.reads(DONE)
