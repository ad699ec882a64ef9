"""Questions of servers of tools: a form or a page, answered here or on a phone, seen by others."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.club import Club
from tests.browser.conftest import House, Meet
from tests.browser.judge import Judge
from tests.browser.person import Person
from tests.browser.test_cards import STARTS_WITHIN
from tests.fakes.mcp import ROGUE
from tests.fakes.openid import OpenIDProvider
from tests.model_server import CallScript, Reply
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ALLOWED = {"approval": {"rules": [{"tool": "mcp_*", "decision": "allow"}]}}
DONE = "All right, that is done."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house whose servers of tools ask."""
    servers = {
        name: {"command": [*ROGUE, name], "start_seconds": 100, "timeout_seconds": 60}
        for name in ("form", "page")
    }
    config = {**CONFIG, **ALLOWED, "mcp_servers": servers}
    async with (
        StoryModel() as model,
        Server(tmp_path_factory.mktemp("shop"), model.url, config=config) as server,
    ):
        yield House(server, model)


async def asked(shop: House | Club, person: Person, name: str, *, text: str = "") -> Locator:
    """The form of a question that has come."""
    shop.model.fresh()
    shop.model.play(
        Reply(text=text, calls=[CallScript(f"mcp_{name}_work", {})], chunk_size=400),
        Reply(text=DONE),
    )
    await person.say("Order it")
    form = person.page.get_by_role("form", name=f"Question from {name}")
    await expect(form).to_be_visible(timeout=STARTS_WITHIN)
    return form


def told(shop: House) -> str:
    """What the model was shown of the server's answer."""
    return json.dumps(shop.model.requests[-1].messages)


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_a_person_fills_in_what_a_server_asks(shop: House, meet: Meet, phone: bool) -> None:
    person = await meet(f"{shop.url}/#/new", phone=phone)
    form = await asked(shop, person, "form")
    await expect(form).to_contain_text("How shall we ship it?")
    await expect(form).to_contain_text("Passwords and keys do not belong here")
    await person.sees_state("Needs you")
    await expect(person.page).to_have_title(re.compile(r"^\(1\) "))
    judge = Judge(person)
    await judge.look("a question")
    judge.verdict()
    await form.get_by_role("button", name="Send answer").click()
    await expect(form.get_by_role("alert")).to_contain_text("Your e-mail is required.")
    await form.get_by_label("Your e-mail").fill("ada@example.org")
    await form.get_by_role("combobox", name="size").select_option(label="Large")
    await expect(form.get_by_role("textbox", name="copies")).to_have_value("1")
    await form.get_by_role("checkbox", name="gift").check()
    await form.get_by_role("group", name="extras").get_by_label("bow").check()
    await form.get_by_role("button", name="Send answer").click()
    await person.reads("Answered by you")
    await person.reads("email: ada@example.org")
    await person.reads(DONE)
    await expect(form).to_have_count(0)
    await expect(person.page).to_have_title(re.compile(r"^\w"))
    assert r"\"copies\": 1" in told(shop)
    assert r"\"extras\": [\"bow\"]" in told(shop)


async def test_what_the_server_refuses_is_told_and_can_be_mended(shop: House, meet: Meet) -> None:
    person = await meet(f"{shop.url}/#/new")
    form = await asked(shop, person, "form")
    await form.get_by_label("Your e-mail").fill("hf_" + "c3" * 17 + "@example.org")
    await form.get_by_role("combobox", name="size").select_option("s")
    await form.get_by_role("button", name="Send answer").click()
    await expect(person.aside("holds a credential")).to_be_visible()
    await form.get_by_label("Your e-mail").fill("ada@example.org")
    await form.get_by_role("button", name="Send answer").click()
    await person.reads(DONE)
    assert "hf_c3" not in told(shop)


async def test_others_see_what_was_answered(shop: House, meet: Meet) -> None:
    one = await meet(f"{shop.url}/#/new")
    await asked(shop, one, "form")
    session = await one.session()
    other = await meet(f"{shop.url}/#/s/{session}")
    theirs = other.page.get_by_role("form", name="Question from form")
    await expect(theirs).to_be_visible()
    await one.page.get_by_role("button", name="Decline", exact=True).click()
    await expect(theirs).to_have_count(0)
    await other.reads("Declined by")
    await other.reads(DONE)


@pytest_asyncio.fixture(loop_scope="session")
async def club(tmp_path: Path) -> AsyncIterator[Club]:
    """A shop where people log in."""
    async with StoryModel() as model, OpenIDProvider() as provider:
        servers = {"form": {"command": [*ROGUE, "form"], "start_seconds": 100}}
        config = {**CONFIG, **ALLOWED, "mcp_servers": servers, "oauth": provider.settings()}
        arguments = ("--auth", "oauth")
        async with Server(tmp_path, model.url, config=config, arguments=arguments) as server:
            yield Club(server, model, provider)


async def test_who_looks_on_sees_the_question_and_is_not_asked(club: Club, meet: Meet) -> None:
    ada = await meet(f"{club.url}/#/new", offline=True)
    await club.log_in(ada)
    await asked(club, ada, "form")
    await expect(ada.page).to_have_title(re.compile(r"^\(1\) "))
    await ada.menu("Share…")
    dialog = ada.page.get_by_role("dialog", name="Share this session")
    await dialog.get_by_label("With").fill("bob")
    await dialog.get_by_role("button", name="Share", exact=True).click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("bob")
    await dialog.get_by_role("button", name="Close").click()
    bob = await meet(f"{club.url}/#/s/{await ada.session()}", offline=True)
    await club.log_in(bob, "bob")
    theirs = bob.page.get_by_role("form", name="Question from form")
    for size in ((1280, 800), (390, 844)):
        await bob.page.set_viewport_size({"width": size[0], "height": size[1]})
        await expect(theirs).to_contain_text("How shall we ship it?")
        await expect(theirs).to_contain_text("Who drives this session decides.")
        await expect(theirs.get_by_role("button")).to_have_count(0)
        await expect(theirs.get_by_label("Your e-mail")).to_be_disabled()
        await expect(bob.page.get_by_text("waits for your answer")).to_have_count(0)
    await bob.page.set_viewport_size({"width": 1280, "height": 800})
    await expect(bob.list).to_contain_text("by ada")
    await expect(ada.page.get_by_role("heading", name="1 session needs you")).to_be_visible()
    await expect(bob.page.get_by_role("heading", name="needs you")).to_have_count(0)
    await expect(bob.page).to_have_title(re.compile(r"^\w"))
    await ada.page.get_by_role("button", name="Decline", exact=True).click()
    await bob.reads("Declined by ada")
    await expect(theirs).to_have_count(0)


async def test_a_page_to_open_is_a_link_with_its_host_named(shop: House, meet: Meet) -> None:
    person = await meet(f"{shop.url}/#/new")
    form = await asked(shop, person, "page")
    link = form.get_by_role("link", name="https://shop.example.org/sign-in?order=7")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(form).to_contain_text("This leads to shop.example.org")
    await form.get_by_role("button", name="Done, go on").click()
    await person.reads("Answered by you")
    await person.reads(DONE)


async def test_a_question_out_of_sight_is_within_reach_and_esc_stops_nothing(
    shop: House, meet: Meet
) -> None:
    person = await meet(f"{shop.url}/#/new")
    lines = "\n\n".join(f"Line {number}" for number in range(80))
    form = await asked(shop, person, "form", text=lines)
    await expect(form).to_be_in_viewport()
    waiting = person.page.get_by_text("form waits for your answer")
    await expect(waiting).to_have_count(0)
    await person.conversation.evaluate("(node) => node.scrollTo(0, 0)")
    await expect(waiting).to_be_visible()
    await person.button("Show").click()
    await expect(form).to_be_in_viewport()
    await form.get_by_label("Your e-mail").press("Escape")
    await form.get_by_role("button", name="Cancel", exact=True).click()
    await person.reads("Cancelled by you")
    await person.reads(DONE)
