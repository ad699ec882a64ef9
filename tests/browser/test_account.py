"""Being known at the page: logging in and out, secrets, and what the next person finds."""

import pytest
from playwright.async_api import expect

from tests.browser.club import Club
from tests.browser.conftest import Meet
from tests.browser.person import Person
from tests.model_server import Reply

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def account(person: Person, item: str) -> None:
    await person.button("Account of Ada L.").click()
    await person.page.get_by_role("menuitem", name=item, exact=True).click()


async def test_who_logs_in_comes_back_to_where_they_were_and_leaves_nothing_behind(
    club: Club, meet: Meet
) -> None:
    person = await meet(f"{club.url}/#/new", offline=True)
    await expect(person.field).to_be_disabled()
    club.provider.asks_first = True  # a page of the provider's own is in between
    await person.button("Log in").click()
    await person.page.get_by_role("link", name="Yes, I am Ada").click()
    await expect(person.button("Account of Ada L.")).to_be_visible()
    await expect(person.page).to_have_url(f"{club.url}/#/new")
    club.model.play(Reply(text="Welcome, Ada."))
    await person.say("Hello")
    await person.reads("Welcome, Ada.")
    await person.field.fill("Half a thought")
    async with person.page.expect_event("load"):  # the page that is left says the same
        await account(person, "Log out")
    await expect(person.page.get_by_role("alert")).to_contain_text("Log in to go on")
    assert await club.provider.asked("bye")
    club.provider.who = "bob"
    await person.button("Log in").click()
    await person.page.get_by_role("link", name="Yes, I am Ada").click()
    await expect(person.button("Account of Bob")).to_be_visible()
    await expect(person.list).to_contain_text("Your sessions will be listed here.")
    await expect(person.page.get_by_text("Half a thought")).to_have_count(0)


async def test_what_one_person_left_is_gone_before_another_goes_on(club: Club, meet: Meet) -> None:
    person = await meet(f"{club.url}/#/new", offline=True)
    await club.log_in(person)
    await person.field.fill("Ada was about to say this")
    await person.page.wait_for_function(KEPT, arg="Ada was about to say this")
    await person.page.context.clear_cookies()
    club.provider.who = "bob"
    await person.page.reload()
    await person.button("Log in").click()
    await expect(person.button("Account of Bob")).to_be_visible()
    await person.page.wait_for_function(ANEW)
    await expect(person.button("Account of Bob")).to_be_visible()
    await expect(person.field).to_be_editable()
    await person.page.wait_for_function(EMPTY)
    await expect(person.field).to_have_value("")


async def test_a_log_out_everywhere_is_told_in_other_browsers_and_what_was_written_is_kept(
    club: Club, meet: Meet
) -> None:
    here, there = await meet(club.url, offline=True), await meet(club.url, offline=True)
    await club.log_in(here)
    await club.log_in(there)
    club.model.play(Reply(text="At your service."), Reply(text="Still here."))
    await there.page.goto(f"{club.url}/#/new")
    await there.say("Hello")
    await there.reads("At your service.")
    await there.field.fill("And one more thing")
    await account(here, "Log out everywhere")
    await expect(there.dock.get_by_role("alert")).to_contain_text("no longer valid")
    async with there.page.expect_event("load"):  # what it is to show is on the old page, too
        await there.dock.get_by_role("button", name="Log in", exact=True).click()
    await there.reads("At your service.")
    await expect(there.field).to_have_value("And one more thing")
    await there.field.press("Enter")
    await there.reads("Still here.")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_a_secret_is_kept_by_name_and_never_shown_again(
    club: Club, meet: Meet, phone: bool
) -> None:
    person = await meet(club.url, phone=phone, offline=True)
    await club.log_in(person)
    await account(person, "Settings")
    dialog = person.page.get_by_role("dialog", name="Settings")
    await expect(dialog).to_contain_text("You keep none yet.")
    await dialog.get_by_label("Name").fill("WANDB_KEY")
    await dialog.get_by_label("Value").fill("a-value-nobody-sees")
    await dialog.get_by_role("button", name="Keep").click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("WANDB_KEY")
    await expect(dialog.get_by_label("Value")).to_have_value("")
    assert "a-value-nobody-sees" not in await person.page.content()
    await dialog.get_by_role("button", name="Remove WANDB_KEY").click()
    await expect(dialog).to_contain_text("You keep none yet.")


async def test_a_model_can_be_chosen_as_soon_as_its_key_is_kept(club: Club, meet: Meet) -> None:
    person = await meet(club.url, offline=True)
    await club.log_in(person)
    option = person.page.locator("option[value='hf/moonshotai/Kimi-K2-Instruct-0905']")
    await expect(option).to_be_disabled()
    await expect(option).to_contain_text("Keep HF_TOKEN among your secrets")
    await account(person, "Settings")
    dialog = person.page.get_by_role("dialog", name="Settings")
    await dialog.get_by_label("Name").fill("HF_TOKEN")
    await dialog.get_by_label("Value").fill("a-value-nobody-sees")
    await dialog.get_by_role("button", name="Keep").click()
    await expect(option).to_be_enabled()
    await dialog.get_by_role("button", name="Remove HF_TOKEN").click()
    await expect(option).to_be_disabled()


_STORED = """new Promise((resolve, reject) => {
  const opening = indexedDB.open('mooring');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asking = opening.result.transaction('drafts').objectStore('drafts').getAll();
    asking.onsuccess = () => { opening.result.close(); resolve(asking.result); };
  };
})"""
KEPT = f"async (text) => (await {_STORED}).includes(text)"
EMPTY = f"async () => (await {_STORED}).length === 0"
ANEW = "() => performance.getEntriesByType('navigation')[0].type === 'reload'"
"""A page that found somebody else's things in its browser has begun again by itself."""
