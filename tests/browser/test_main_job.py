"""The whole job by hand: ask, watch, decide, stop, take back, queue, and put the list in order."""

import json
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.conftest import House, Meet
from tests.model_server import CallScript, Gate, Reply
from tests.stories.scene import UNTIL_GO

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ASKING = "echo first # please-ask"


def bash(command: str) -> CallScript:
    return CallScript("bash", {"command": command})


async def test_a_newcomer_is_told_what_this_is_and_one_click_begins(
    house: House, meet: Meet
) -> None:
    person = await meet(house.url)
    await expect(person.page.get_by_role("heading", level=2)).to_contain_text("keeps working")
    await person.button("Show me what you can do").click()
    await person.reads("All right, that is done.")
    await person.sees_state("Idle")


async def test_the_answer_is_seen_while_it_is_written(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Forty-two is the answer.", reasoning="Hm, hm.", hold={3: gate}))
    person = await meet(house.url)
    await person.say("What is the answer?")
    await person.reads("Forty-two")
    await person.sees_state("Working")
    gate.set()
    await person.reads("Forty-two is the answer.")
    await person.sees_state("Idle")
    await person.page.get_by_text("Thought · 2 words").click()
    await person.reads("Hm, hm.")


async def test_a_call_runs_with_the_arguments_that_a_person_edited(
    house: House, meet: Meet
) -> None:
    house.model.play(Reply(text="May I?", calls=[bash(ASKING)]))
    person = await meet(house.url)
    await person.say("Run something")
    await person.sees_state("Needs you")
    await person.button("Edit arguments").click()
    editor = person.page.get_by_role("textbox", name="Arguments as JSON")
    await editor.fill("not json")
    form = person.page.locator(".approval")
    await form.get_by_role("button", name="Approve").click()
    await expect(form.get_by_role("alert")).to_contain_text("not JSON yet")
    await editor.fill(json.dumps({"command": "echo edited by hand"}))
    await form.get_by_role("button", name="Approve").click()
    await person.reads("edited by hand")
    await person.reads("Approved by dev with edited arguments")
    await person.reads("All right, that is done.")


async def test_the_agent_hears_why_a_call_was_rejected(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(ASKING)]))
    person = await meet(house.url)
    await person.say("Run something")
    await person.button("Reject…").click()
    await person.page.get_by_placeholder("Why not?").fill("Not on a Friday")
    await person.button("Reject").click()
    await person.reads("Rejected by dev: “Not on a Friday”")
    await person.reads("All right, that is done.")
    assert "Not on a Friday" in json.dumps(house.model.requests[-1].messages)


async def test_all_questions_are_answered_at_once(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(ASKING), bash("echo second # please-ask")]))
    person = await meet(house.url)
    await person.say("Run two things")
    await expect(person.dock).to_contain_text("2 calls wait for your approval")
    await person.button("Approve all").click()
    await person.reads("All right, that is done.")
    await expect(person.page.locator(".tool.is-ok")).to_have_count(2)


async def test_a_tool_that_was_remembered_asks_no_more(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(ASKING)]), Reply(calls=[bash("echo again # please-ask")]))
    person = await meet(house.url)
    await person.say("Run two things, one after the other")
    await person.page.get_by_label("Do not ask again for bash in this session").check()
    await person.page.locator(".approval").get_by_role("button", name="Approve").click()
    await person.reads("All right, that is done.")
    await expect(person.page.locator(".tool.is-ok")).to_have_count(2)


async def test_escape_stops_the_answer_and_keeps_what_was_said(house: House, meet: Meet) -> None:
    house.model.play(Reply(text="This goes on and on.", hold={2: Gate()}))
    person = await meet(house.url)
    await person.say("Talk")
    await person.reads("This goes on and")
    await person.page.keyboard.press("Escape")
    await person.reads("Stopped.")
    await person.sees_state("Idle")
    await person.reads("This goes on and")
    await house.model.client_left()


async def test_a_running_command_shows_what_it_prints_and_stops(house: House, meet: Meet) -> None:
    house.model.play(Reply(calls=[bash(UNTIL_GO)]))
    person = await meet(house.url)
    await person.say("Wait for me")
    card = person.tool("bash")
    await expect(card.locator(".preview")).to_have_text("waiting")
    await expect(card).to_contain_text("running")
    await person.button("Stop").click()
    await expect(card).to_contain_text("cancelled")
    await person.sees_state("Idle")


async def test_a_turn_is_undone_and_its_words_come_back_for_editing(
    house: House, meet: Meet
) -> None:
    house.model.play(Reply(text="A poor answer."))
    person = await meet(house.url)
    await person.say("A poor question")
    await person.reads("A poor answer.")
    await person.menu("Undo the last turn")
    await expect(person.page.get_by_text("A poor answer.")).to_be_hidden()
    await person.button("Edit and send again").click()
    await expect(person.field).to_have_value("A poor question")


async def test_a_turn_is_tried_again(house: House, meet: Meet) -> None:
    house.model.play(Reply(text="A first answer."), Reply(text="A second answer."))
    person = await meet(house.url)
    await person.say("A question")
    await person.reads("A first answer.")
    await person.button("Try again").click()
    await person.reads("A second answer.")
    await expect(person.page.get_by_text("A first answer.")).to_be_hidden()


async def test_what_is_written_meanwhile_waits_in_sight(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Busy just now.", hold={1: gate}))
    person = await meet(house.url)
    await person.say("Work")
    await person.reads("Busy")
    await person.say("And then this")
    await person.say("And that")
    await expect(person.page.locator(".queue li")).to_have_count(2)
    await person.button("Withdraw").first.click()
    await expect(person.field).to_have_value("And then this")
    await person.field.fill("")
    gate.set()
    await person.reads("And that")
    await expect(person.page.locator(".queue")).to_be_hidden()
    await person.sees_state("Idle")
    assert house.model.requests[-1].last_user_text == "And that"


async def test_a_queued_message_can_join_the_running_turn(house: House, meet: Meet) -> None:
    gate = Gate()
    house.model.play(Reply(text="Let me see.", calls=[bash("true")], hold={1: gate}))
    person = await meet(house.url)
    await person.say("Work")
    await person.reads("Let me")
    await person.say("Look at the small print")
    await person.button("Steer now").click()
    await expect(person.dock).to_contain_text("Joins soon: Look at the small print")
    gate.set()
    await person.reads("joined the running turn")
    await person.reads("All right, that is done.")


async def test_a_stop_holds_the_queue_until_someone_says_continue(house: House, meet: Meet) -> None:
    house.model.play(Reply(text="Busy just now.", hold={1: Gate()}))
    person = await meet(house.url)
    await person.say("Work")
    await person.reads("Busy")
    await person.say("And then this")
    await expect(person.dock).to_contain_text("Next: And then this")
    await person.button("Stop").click()
    await expect(person.dock).to_contain_text("On hold")
    await person.button("Continue").click()
    await person.reads("And then this")
    await person.reads("All right, that is done.")


async def test_what_cannot_be_done_is_said_with_a_way_out(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("All right, that is done.")
    await person.button("Undo").click()
    await expect(person.button("Edit and send again")).to_be_visible()
    await person.menu("Undo the last turn")
    await expect(person.page.locator(".toast")).to_contain_text("no turn left to take back")


async def test_a_conversation_is_summarised_when_asked(house: House, meet: Meet) -> None:
    house.model.play_plain(Reply(text="A title"), Reply(text="They said hello."))
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("All right, that is done.")
    await house.model.plain_request_arrived()
    await person.menu("Summarise")
    await person.reads("Summarised:")
    await person.page.get_by_text("What the agent keeps in mind").click()
    await person.reads("They said hello.")


async def test_approvals_can_be_given_automatically(house: House, meet: Meet) -> None:
    house.model.play(Reply(text="Ready."), Reply(calls=[bash(ASKING)]))
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("Ready.")
    await person.page.get_by_label("Auto-approve").check()
    await person.reads("Approvals are given automatically from here on.")
    await person.say("Run something")
    await person.reads("All right, that is done.")
    await expect(person.page.locator(".tool.is-ok")).to_have_count(1)


async def test_a_failed_turn_says_why_and_can_be_tried_again(house: House, meet: Meet) -> None:
    cut = Reply(text="I was about to", cut_after=1)
    house.model.play(cut, Reply(text="This time it worked."))
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("This turn failed.")
    await person.button("Try again").click()
    await person.reads("This time it worked.")


async def test_sessions_are_renamed_found_and_deleted(house: House, meet: Meet) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("All right, that is done.")
    await person.menu("Rename")
    await person.page.get_by_role("textbox", name="Rename session").fill("Thursday's harvest")
    await person.page.get_by_role("textbox", name="Rename session").press("Enter")
    row = person.page.locator(".session", has_text="Thursday's harvest")
    await expect(row).to_be_visible()
    await expect(person.page).to_have_title("Thursday's harvest")
    await person.page.get_by_role("searchbox").fill("harvest")
    await expect(person.page.locator(".session")).to_have_count(1)
    await person.menu("Delete session")
    await person.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)
    await expect(person.page.get_by_role("heading", level=2)).to_contain_text("keeps working")


async def test_files_go_in_with_a_message_and_come_out_again(
    house: House, meet: Meet, tmp_path: Path
) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("All right, that is done.")
    notes: FilePayload = {"name": "my notes.txt", "mimeType": "text/plain", "buffer": b"five eggs"}
    await person.page.locator(".composer input[type=file]").set_input_files(notes)
    await expect(person.dock.locator(".chip", has_text="my notes.txt")).to_be_visible()
    await person.say("Read them")
    link = person.conversation.get_by_role("link", name="my notes.txt")
    async with person.page.expect_download() as download:
        await link.click()
    await (await download.value).save_as(tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"five eggs"
    await person.menu("Files")
    await expect(person.page.get_by_role("dialog")).to_contain_text("my notes.txt")


async def test_a_conversation_is_exported(house: House, meet: Meet, tmp_path: Path) -> None:
    person = await meet(house.url)
    await person.say("Hello")
    await person.reads("All right, that is done.")
    async with person.page.expect_download() as download:
        await person.menu("Export as Markdown")
    await (await download.value).save_as(tmp_path / "out.md")
    assert "All right, that is done." in (tmp_path / "out.md").read_text()
