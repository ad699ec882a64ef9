"""The notify tool against web hooks of the tests' own."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from agent.tools.notify import Notify, Place
from agent.tools.toolbox import Finished, Toolbox
from tests.agent.tools.calls import Calls
from tests.fakes.web import Web


class Hooks(Web):
    """Keeps what it was told, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1")
        self.told: list[object] = []
        self.status = 200
        self.serve("/hook", self._take)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.told.append(msgspec.json.decode(await request.read()))
        return web.Response(status=self.status, text="ok")


@pytest_asyncio.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with Hooks() as hooks:
        yield hooks


class Notes:
    def __init__(self, hooks: Hooks, calls: Calls, executor: ThreadPoolExecutor) -> None:
        url = hooks.url("/hook")
        self.places = {"team": Place(url)}
        self._calls = calls
        self._executor = executor

    @property
    def tool(self) -> Notify:
        return Notify(self.places)

    async def __call__(self, **arguments: object) -> Finished:
        toolbox = Toolbox([self.tool], self._executor)
        return await toolbox.call("notify", arguments, self._calls())


@pytest.fixture
def notify(hooks: Hooks, calls: Calls, executor: ThreadPoolExecutor) -> Notes:
    return Notes(hooks, calls, executor)


async def test_a_word_goes_to_the_only_place_there_is(notify: Notes, hooks: Hooks) -> None:
    done = await notify(text="It is trained.", title="Net")
    assert (done.status, done.output) == ("ok", "Sent to team.")
    assert hooks.told == [{"text": "*Net*\nIt is trained."}]


async def test_of_several_places_one_is_named(notify: Notes, hooks: Hooks) -> None:
    notify.places["me"] = Place(hooks.url("/hook"), "json")
    assert "team, me" in notify.tool.description
    for wrong in ({}, {"to": "you"}):
        done = await notify(text="Hi", **wrong)
        assert done.output == "Nothing was sent. Name one of team, me in `to`."
    assert hooks.told == []
    await notify(text="Hi", to="me")
    await notify(text="Hi", to="team")
    assert hooks.told == [{"title": "", "text": "Hi"}, {"text": "Hi"}]


async def test_a_place_that_does_not_take_it_is_told_without_its_address(
    notify: Notes, hooks: Hooks
) -> None:
    hooks.status = 410
    done = await notify(text="Hi")
    assert done.output == "team did not take it (status 410). Go on without it."
    notify.places["team"] = Place("http://127.0.0.1:1/secret-of-the-hook")
    done = await notify(text="Hi")
    assert (done.status, done.output) == (
        "error",
        "team could not be reached. Go on without it.",
    )


async def test_a_word_goes_nowhere_else(notify: Notes, hooks: Hooks) -> None:
    notify.places["team"] = Place(hooks.redirect("/moved", hooks.url("/hook"), status=307))
    done = await notify(text="Hi")
    assert (done.status, hooks.told) == ("error", [])


@pytest.mark.parametrize(
    "arguments", [{}, {"text": ""}, {"text": "x" * 2001}, {"text": "x", "title": "a\nb"}]
)
async def test_what_is_no_message_is_told(
    arguments: dict[str, object], notify: Notes, hooks: Hooks
) -> None:
    done = await notify(**arguments)
    assert done.output.startswith("The arguments of notify are not valid: ")
    assert hooks.told == []


def test_it_does_more_than_read_and_does_not_ask_by_itself(notify: Notes) -> None:
    assert notify.tool.effect == "execute"
