"""Questions before a call: read, edit, approve, reject, one or many, here or on a phone."""

import json

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE_TOO, House, Meet
from tests.model_server import CallScript, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
ASKING = "echo first # please-ask"


def bash(command: str) -> CallScript:
    return CallScript("bash", {"command": command})


@PHONE_TOO
async def test_a_call_runs_with_the_command_that_a_person_edited(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(text="May I?", calls=[bash(ASKING)]))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Run something")
    await person.sees_state("Needs you")
    form = person.question()
    await form.get_by_role("button", name="Edit", exact=True).click()
    await form.get_by_role("textbox", name="command").fill("echo edited by hand")
    await expect(form).to_contain_text("What you changed")
    await expect(form.locator(".diff .removed .line")).to_have_text(ASKING)
    await expect(form.locator(".diff .added .line")).to_have_text("echo edited by hand")
    await form.get_by_role("button", name="Approve edited").click()
    await person.reads("edited by hand")
    await person.reads("Approved by you with edited arguments")
    await person.reads(DONE)
    card = person.tool("bash")
    await card.get_by_role("button").first.click()
    await expect(card.locator(".diff .removed .line")).to_contain_text(ASKING)
    await expect(card.locator(".diff .added .line")).to_contain_text("echo edited by hand")


async def test_arguments_are_edited_as_json_and_must_be_an_object(house: House, meet: Meet) -> None:
    house.model.play(Reply(text="May I?", calls=[bash(ASKING)]))
    person = await meet(house.url)
    await person.say("Run something")
    form = person.question()
    await form.get_by_role("button", name="Edit", exact=True).click()
    await form.get_by_role("button", name="Edit as JSON").click()
    editor = form.get_by_role("textbox", name="Arguments as JSON")
    await editor.fill("not json")
    await form.get_by_role("button", name="Approve").click()
    await expect(form.get_by_role("alert")).to_contain_text("not JSON yet")
    await editor.fill(json.dumps({"command": "echo written as json"}))
    await form.get_by_role("button", name="Approve edited").click()
    await person.reads("written as json")
    await person.reads(DONE)


@PHONE_TOO
async def test_the_agent_hears_why_a_call_was_rejected(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(calls=[bash(ASKING)]))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Run something")
    form = person.question()
    await form.get_by_role("button", name="Reject").click()
    await form.get_by_role("textbox", name="Why not?").fill("Not on a Friday")
    await form.get_by_role("button", name="Reject").click()
    await person.reads("Rejected by you: “Not on a Friday”")
    await person.reads(DONE)
    assert "Not on a Friday" in json.dumps(house.model.requests[-1].messages)


async def test_who_writes_a_reason_has_no_bar_over_it_and_esc_only_leaves_the_form(
    house: House, meet: Meet
) -> None:
    house.model.play(Reply(calls=[bash(ASKING)]))
    person = await meet(house.url)
    await person.say("Run something")
    form = person.question()
    await form.get_by_role("button", name="Reject").click()
    reason = form.get_by_role("textbox", name="Why not?")
    await expect(reason).to_be_focused()
    await expect(person.page.locator(".ask-bar")).to_have_count(0)
    await reason.press("Escape")
    await expect(reason).to_have_count(0)
    await form.get_by_role("button", name="Edit", exact=True).click()
    field = form.get_by_role("textbox", name="command")
    await field.fill("echo kept")
    await field.press("Escape")
    await form.get_by_role("button", name="Approve edited").click()
    await person.reads(DONE)
    assert "echo kept" in json.dumps(house.model.requests[-1].messages)


@PHONE_TOO
async def test_all_questions_are_answered_at_once(house: House, meet: Meet, phone: bool) -> None:
    house.model.play(Reply(calls=[bash(ASKING), bash("echo second # please-ask")]))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Run two things")
    await expect(person.page.get_by_text("2 calls wait for your approval")).to_be_visible()
    await person.button("Approve all").click()
    await person.reads(DONE)
    await expect(person.cards("done")).to_have_count(2)


@PHONE_TOO
async def test_a_tool_that_was_allowed_for_the_session_asks_no_more(
    house: House, meet: Meet, phone: bool
) -> None:
    house.model.play(Reply(calls=[bash(ASKING)]), Reply(calls=[bash("echo again # please-ask")]))
    person = await meet(f"{house.url}/#/new", phone=phone)
    await person.say("Run two things, one after the other")
    await person.page.get_by_label("Allow bash for this session").check()
    await person.approve()
    await person.reads(DONE)
    await expect(person.cards("done")).to_have_count(2)


async def test_a_question_out_of_sight_is_within_reach(house: House, meet: Meet) -> None:
    lines = "\n\n".join(f"Line {number}" for number in range(80))
    house.model.play(Reply(text=lines, calls=[bash(ASKING)], chunk_size=400))
    person = await meet(house.url)
    await person.say("Run something")
    await expect(person.question()).to_be_in_viewport()
    waiting = person.page.get_by_text("bash waits for your approval")
    await expect(waiting).to_have_count(0)
    await person.conversation.evaluate("(node) => node.scrollTo(0, 0)")
    await expect(waiting).to_be_visible()
    await person.button("Show").click()
    await expect(person.question()).to_be_in_viewport()
    await expect(waiting).to_have_count(0)


async def test_the_keyboard_rules_on_the_card_in_focus(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(ASKING)]))
    person = await meet(house.url)
    await person.say("Run something")
    await expect(person.question()).to_be_visible()
    await expect(person.field).to_be_focused()
    await person.tool("bash").focus()
    await person.page.keyboard.press("a")
    await person.reads(DONE)
    await expect(person.cards("done")).to_have_count(1)


async def test_on_a_phone_a_question_rises_from_below(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(ASKING), bash("echo second # please-ask")]))
    person = await meet(f"{house.url}/#/new", phone=True)
    await person.say("Run two things")
    sheet = person.dock.get_by_role("region", name="Approval for bash")
    await expect(sheet).to_contain_text("first")
    await person.button("Next question").click()
    await expect(sheet).to_contain_text("second")
    await person.button("Fold away").click()
    await expect(sheet).to_have_count(0)
    await person.button("Review").click()
    for number in (1, 2):
        await sheet.get_by_role("button", name="Approve").click()
        await expect(person.cards("asks first")).to_have_count(2 - number)
    await person.reads(DONE)
