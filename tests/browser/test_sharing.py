"""A session shared with others: who looks on, who drives, who is here, and taking it back."""

import pytest
from playwright.async_api import expect

from tests.browser.club import Club
from tests.browser.conftest import Meet
from tests.browser.person import Person
from tests.model_server import CallScript, Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

REFUSED = Reply(status=400, body={"error": {"message": "No such thing."}})
ASKING = [CallScript("bash", {"command": "echo first # please-ask"})]


async def begun(club: Club, meet: Meet) -> Person:
    """Ada, in a session whose agent asks something."""
    ada = await meet(f"{club.url}/#/new", offline=True)
    await club.log_in(ada)
    club.model.play(Reply(text="May I?", calls=ASKING), Reply(text="It is done."))
    await ada.say("Begin")
    await expect(ada.question()).to_be_visible()
    return ada


async def link_of(ada: Person, role: str) -> str:
    await ada.menu("Share…")
    dialog = ada.page.get_by_role("dialog", name="Share this session")
    await dialog.get_by_label("They may").select_option(label=role)
    await dialog.get_by_role("button", name="Make a link").click()
    field = dialog.get_by_label("Copy the link now")
    await expect(dialog.get_by_role("listitem")).to_contain_text("Link, not used yet")
    link = await field.input_value()
    await dialog.get_by_role("button", name="Close").click()
    return link


async def test_who_has_a_link_to_drive_rules_and_both_see_who_is_here(
    club: Club, meet: Meet
) -> None:
    ada = await begun(club, meet)
    link = await link_of(ada, "drive")
    bob = await meet(link, offline=True)
    await club.log_in(bob, "bob")
    await bob.page.wait_for_url(f"**/#/s/{await ada.session()}")
    await expect(ada.page.get_by_role("img", name="Here now: Ada L., Bob (drives)")).to_be_visible()
    await expect(bob.list).to_contain_text("by ada")
    await bob.approve()
    await ada.reads("It is done.")
    await expect(ada.tool("bash")).to_contain_text("bob")
    club.model.play(Reply(text="To both of you."))
    await bob.say("And who am I?")
    await ada.reads("To both of you.")
    await expect(ada.conversation).to_contain_text("bob")


async def onlooker(club: Club, meet: Meet, ada: Person) -> Person:
    """Bob, who may look at what Ada has open."""
    await ada.menu("Share…")
    dialog = ada.page.get_by_role("dialog", name="Share this session")
    await dialog.get_by_label("With").fill("bob")
    await dialog.get_by_role("button", name="Share", exact=True).click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("bob")
    bob = await meet(f"{club.url}/#/s/{await ada.session()}", offline=True)
    await club.log_in(bob, "bob")
    return bob


async def test_who_looks_on_sees_everything_and_can_press_nothing(club: Club, meet: Meet) -> None:
    ada = await begun(club, meet)
    bob = await onlooker(club, meet, ada)
    await expect(bob.dock).to_contain_text("You are looking on. ada can let you drive.")
    await expect(bob.field).to_have_count(0)
    await expect(bob.question()).to_contain_text("Who drives this session decides.")
    await expect(bob.question().get_by_role("button", name="Approve")).to_have_count(0)
    await bob.button("More").click()
    await expect(bob.page.get_by_role("menuitem", name="Files")).to_be_visible()
    for hidden in ("Rename…", "Undo the last turn", "Share…", "Delete session"):
        await expect(bob.page.get_by_role("menuitem", name=hidden)).to_have_count(0)
    await bob.page.keyboard.press("Escape")
    dialog = ada.page.get_by_role("dialog", name="Share this session")
    await dialog.get_by_role("button", name="Take back").click()
    await expect(dialog).to_contain_text("Nobody else has this session.")
    await expect(bob.dock).to_contain_text("This session was deleted, or it belongs to someone")


async def test_who_looks_on_has_no_dead_button_and_no_key_that_is_refused(
    club: Club, meet: Meet
) -> None:
    ada = await meet(f"{club.url}/#/new", offline=True)
    await club.log_in(ada)
    club.model.play(Reply(text="Never mind."), REFUSED)
    await ada.say("To be taken back")
    await ada.reads("Never mind.")
    await ada.button("Undo").click()
    await expect(ada.button("Edit and run again")).to_be_visible()
    await ada.say("To fail")
    await expect(ada.conversation.locator(".note").get_by_role("button")).to_be_visible()
    bob = await onlooker(club, meet, ada)
    await bob.reads("This turn failed.")
    await bob.reads("1 turn was undone")
    await expect(bob.button("Copy answer")).to_be_visible()
    assert await bob.drops("mine.txt", "main")
    for dead in ("Try again", "Edit and run again", "Edit", "Undo"):
        await expect(bob.button(dead)).to_have_count(0)
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_role("dialog")).to_have_count(0)
    club.model.play(Reply(text="May I?", calls=ASKING), Reply(text="It is done."))
    await ada.say("To be asked")
    await expect(bob.question()).to_be_visible()
    await bob.tool("bash").focus()
    for key in ("a", "r", "Escape"):
        await bob.page.keyboard.press(key)
    await ada.approve()
    await bob.reads("It is done.")
    await expect(bob.page.locator(".toast")).to_have_count(0)
    await expect(bob.cards("done")).to_have_count(1)
    await expect(bob.tool("bash")).to_contain_text("Approved by ada")


async def test_a_link_that_was_taken_back_says_so(club: Club, meet: Meet) -> None:
    person = await meet(f"{club.url}/#/join/{'x' * 43}", offline=True)
    await club.log_in(person)
    await expect(person.page.get_by_role("alert")).to_contain_text("Ask for a new link")


async def test_who_looks_on_from_a_phone_reads_the_question_and_has_nothing_to_press(
    club: Club, meet: Meet
) -> None:
    ada = await begun(club, meet)
    bob = await meet(await link_of(ada, "look on"), phone=True, offline=True)
    await club.log_in(bob, "bob")
    card = bob.question()
    await expect(card).to_be_visible()
    await expect(card).to_contain_text("echo first")
    await expect(card).to_contain_text("Who drives this session decides.")
    await expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(bob.page.locator(".ask-sheet")).to_have_count(0)
    await ada.approve()
    await bob.reads("It is done.")
    await expect(card).to_have_count(0)
