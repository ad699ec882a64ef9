"""Cards of calls and jobs: every state and its time, prices, images and files that were left."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import PHONE_TOO, House, Meet
from tests.browser.judge import Judge
from tests.browser.person import Person
from tests.fakes.hub.server import ADA, FakeHub
from tests.fakes.mcp import WORKSHOP
from tests.model_server import CallScript, Gate, Reply
from tests.serving import Server
from tests.stories.scene import CONFIG, StoryModel

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DONE = "All right, that is done."
STARTS_WITHIN = 120_000
"""Milliseconds that a server of tools may take to start, on a busy machine."""
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
TRAIN = {
    "operation": "uv",
    "script": "print('epoch 1')\n",
    "title": "Train it",
    "hardware": "a10g-small",
    "timeout": "1h",
}
WAIT = "echo waiting; while [ ! -e go ]; do sleep 0.05; done"


def bash(command: str) -> CallScript:
    return CallScript("bash", {"command": command})


@pytest_asyncio.fixture(loop_scope="session")
async def hub() -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub:
        yield hub


@pytest_asyncio.fixture(loop_scope="session")
async def workshop(tmp_path: Path, hub: FakeHub) -> AsyncIterator[House]:
    """A server with tools of others, and with a Hub."""
    servers = {"shop": {"command": list(WORKSHOP), "start_seconds": 100}}
    rules = [{"tool": "mcp_shop_*", "decision": "allow"}]
    config = {**CONFIG, "hub": hub.config, "mcp_servers": servers, "approval": {"rules": rules}}
    async with StoryModel() as model:
        environment = {"HF_TOKEN": ADA}
        async with Server(tmp_path, model.url, config=config, environment=environment) as server:
            yield House(server, model)


async def test_a_call_that_failed_shows_why_and_how_long_it_took(house: House, meet: Meet) -> None:
    house.model.play(
        Reply(calls=[bash("sleep 0.2; printf '\\033[31mred\\033[0m\\n1%%\\r2%%\\n'; exit 3")])
    )
    person = await meet(house.url)
    await person.say("Go")
    await person.reads(DONE)
    card = person.tool("bash")
    await expect(card).to_have_attribute("aria-label", "bash, failed")
    await expect(card.locator(".tool-state")).to_contain_text(re.compile(r"failed ?\d+(\.\d)? m?s"))
    await expect(card.locator(".fore-1")).to_have_text("red")
    printed = card.get_by_role("group", name="Output")
    await expect(printed).to_contain_text("2%")
    await expect(printed).not_to_contain_text("1%")


async def test_all_of_a_long_output_can_be_had(house: House, meet: Meet, tmp_path: Path) -> None:
    house.model.play(Reply(calls=[bash("seq 1 20000")]))
    person = await meet(house.url)
    await person.say("Count")
    await person.reads(DONE)
    card = person.tool("bash")
    await card.get_by_role("button").first.click()
    await expect(card).to_contain_text("The whole output has 109k characters")
    await expect(card).to_contain_text("All of it, to download:")
    async with person.page.expect_download() as download:
        await card.get_by_role("link", name="Download .mooring/outputs/").click()
    await (await download.value).save_as(tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text().splitlines() == [*map(str, range(1, 20001))]


async def test_a_call_whose_end_nobody_saw_says_so(own_house: House, meet: Meet) -> None:
    own_house.model.play(Reply(calls=[bash(WAIT)]))
    person = await meet(own_house.url, offline=True)
    await person.say("Go")
    await expect(person.printed()).to_contain_text("waiting")
    await own_house.server.kill9()
    await own_house.server.start()
    await expect(person.cards("outcome unknown")).to_have_count(1)
    await expect(person.tool("bash")).to_contain_text("It may have finished, or not")


async def test_calls_of_one_reply_wait_in_sight_for_the_one_that_asks(
    house: House, meet: Meet
) -> None:
    calls = [bash("echo one # please-ask"), bash("echo two")]
    house.model.play(Reply(calls=calls))
    person = await meet(house.url)
    await person.say("Go")
    await expect(person.cards("asks first")).to_have_count(1)
    await expect(person.cards("queued")).to_have_count(1)
    await person.approve()
    await expect(person.cards("done")).to_have_count(2)


async def drawn(person: Person, path: str) -> None:
    image = person.page.get_by_role("img", name=f"Image {path}").first
    await expect(image).to_be_visible()
    await expect(image).to_have_js_property("naturalWidth", 1)


async def test_images_of_the_workspace_are_shown_where_an_answer_draws_them_and_no_others(
    house: House, meet: Meet
) -> None:
    made = f"mkdir -p out; echo {DOT} | base64 -d | tee 'out/my loss.png' > b.png"
    answer = (
        "The loss: ![Loss](out/my%20loss.png) and ![it](/workspace/b.png), but not"
        " ![far](https://tracker.example/p.png) or ![up](../../b.png) or ![no](gone.png)."
    )
    house.model.play(Reply(calls=[bash(made)]), Reply(text=answer))
    person = await meet(house.url)
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    await person.say("Draw")
    answered = person.conversation.get_by_role("article", name="Agent").last
    await expect(answered.get_by_role("img")).to_have_count(2)
    await drawn(person, "out/my loss.png")
    await drawn(person, "b.png")
    far = answered.get_by_role("link", name="far")
    await expect(far).to_have_attribute("href", "https://tracker.example/p.png")
    assert [url for url in asked if not url.startswith((house.url, "blob:", "data:"))] == []


async def test_a_picture_made_later_is_found_also_right_after_the_list_was_read(
    house: House, meet: Meet
) -> None:
    dot = f"echo {DOT} | base64 -d >"
    first, second = bash(f"{dot} one.png; echo one.png"), bash(f"{dot} two.png; echo two.png")
    house.model.play(Reply(calls=[first]), Reply(calls=[second]))
    person = await meet(house.url)
    await person.say("Draw")
    await person.reads(DONE)
    await drawn(person, "one.png")
    await drawn(person, "two.png")


async def test_what_a_tool_of_others_left_is_shown_or_linked(workshop: House, meet: Meet) -> None:
    calls = [CallScript("mcp_shop_picture", {}), CallScript("mcp_shop_papers", {})]
    workshop.model.play(Reply(calls=calls))
    person = await meet(workshop.url)
    await person.say("Show me")
    await expect(person.conversation).to_contain_text(DONE, timeout=STARTS_WITHIN)
    picture, papers = person.tool("mcp_shop_picture"), person.tool("mcp_shop_papers")
    await expect(picture.get_by_role("img", name="Image .mooring/mcp/")).to_be_visible()
    links = papers.get_by_role("link", name="Download .mooring/mcp/")
    await expect(links).to_have_count(2)
    async with person.page.expect_download() as download:
        await links.first.click()
    assert (await download.value).suggested_filename.endswith(".md")


@PHONE_TOO
async def test_a_job_says_what_it_may_cost_and_what_it_did(
    workshop: House, hub: FakeHub, meet: Meet, phone: bool
) -> None:
    workshop.model.play(Reply(calls=[CallScript("hf_jobs", TRAIN)]), Reply(text="It runs."))
    person = await meet(f"{workshop.url}/#/new", phone=phone)
    await person.page.emulate_media(reduced_motion="reduce")
    judge = Judge(person)
    await person.say("Train")
    question = person.question("hf_jobs")
    await expect(question).to_contain_text("Estimated cost $1", timeout=STARTS_WITHIN)
    await expect(question).to_contain_text("spends money")
    await expect(question.get_by_label("Allow hf_jobs for this session")).to_have_count(0)
    await person.approve("hf_jobs")
    await person.reads("It runs.")
    job = person.page.get_by_role("article", name="Job Train it")
    await expect(job).to_contain_text(re.compile(r"a10g-small · \$1\.\d\d at most"))
    workshop.model.play(Reply(text="The training is over.", hold={"start": (gate := Gate())}))
    hub.jobs.started[-1].print("loss 0.5", "loss 0.1")
    await expect(job).to_contain_text("loss 0.1")
    await judge.look("a job that runs")
    hub.jobs.started[-1].end(seconds=1800)
    await expect(job).to_have_attribute("aria-label", "Job Train it, done")
    await expect(job).to_contain_text("$0.6")
    await judge.look("a job that is over")
    gate.set()
    await person.reads("The training is over.")
    judge.verdict()
