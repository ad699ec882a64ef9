"""Connections to servers of tools: real ones over both transports, and ones that are none."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from agent.errors import Problem
from agent.tools.mcp import MOST_TOOLS, opened
from agent.tools.mcp_link import Link, Patience, Time
from agent.tools.port import Response
from tests.agent.sandbox.running import become
from tests.agent.tools.mcp_stage import (
    KINDS,
    PATIENT,
    Listener,
    Watch,
    blobs,
    opening,
    over_http,
    reaching,
    target,
    words,
)
from tests.fakes.mcp import ROGUE, WORKSHOP
from tests.fakes.mcp.workshop import PNG

in_every_way = pytest.mark.parametrize("kind", KINDS)


@in_every_way
async def test_tools_are_listed_and_called_and_answer_in_words_and_files(kind: str) -> None:
    async with reaching(kind) as connection:
        tools = {tool.name: tool for tool in await connection.tools()}
        assert tools["add"].reads
        assert not tools["publish"].reads
        assert tools["add"].schema["required"] == ["a", "b"]
        listener = Listener()
        assert words(await connection.call("add", {"a": 2, "b": 3}, listener.hearing)) == "5"
        point = await connection.call("point", {}, listener.hearing)
        assert json.loads(words(point)) == {"x": 1, "y": 2}
        (picture,) = blobs(await connection.call("picture", {}, listener.hearing))
        assert (picture.data, picture.media_type) == (PNG, "image/png")
        papers = await connection.call("papers", {}, listener.hearing)
        assert [blob.data for blob in blobs(papers)] == [b"# Hi", b"\0\1"]
        failed = await connection.call("fail", {}, listener.hearing)
        assert failed.failed
        assert "fail" in words(failed)
        unknown = await connection.call("add", {"a": "x"}, listener.hearing)
        assert unknown.failed


@in_every_way
async def test_progress_is_shown_to_whom_it_belongs(kind: str) -> None:
    async with reaching(kind) as connection:
        quiet, listener = Listener(), Listener()
        waiting = asyncio.create_task(connection.call("wait", {}, quiet.hearing))
        await quiet.heard.wait()
        said = await connection.call("steps", {}, listener.hearing)
        assert words(said) == "all"
        assert "[1/2] half\n" in listener.shown
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert quiet.shown == ["[0] waiting\n"]
        assert words(await connection.call("add", {"a": 1, "b": 1}, quiet.hearing)) == "2"


@in_every_way
@pytest.mark.parametrize(
    ("response", "output"),
    [
        (Response("accept", {"name": "Ada"}), "Ada"),
        (Response("decline"), "decline"),
        (Response("cancel"), "cancel"),
    ],
)
async def test_a_person_is_asked_what_a_server_wants_to_know(
    kind: str, response: Response, output: str
) -> None:
    async with reaching(kind) as connection:
        listener = Listener(response)
        assert words(await connection.call("ask", {}, listener.hearing)) == output
        (asked,) = listener.asked
        assert asked.text == "Who?"
        assert list(asked.fields["properties"]) == ["name"]


async def test_a_page_to_open_is_asked_with_its_address() -> None:
    async with opening(*ROGUE, "page") as connection:
        listener = Listener(Response("accept"))
        said = await connection.call("work", {}, listener.hearing)
        assert json.loads(words(said))["action"] == "accept"
        (asked,) = listener.asked
        assert (asked.server, asked.url) == ("test", "https://shop.example.org/sign-in?order=7")


async def test_a_call_that_needs_a_page_opened_first_says_so_and_asks() -> None:
    async with opening(*ROGUE, "page first") as connection:
        listener = Listener(Response("accept"))
        with pytest.raises(Problem, match=r"open a page first \(accept\)") as failed:
            await connection.call("work", {}, listener.hearing)
        assert failed.value.code == "mcp_failed"
        assert [asked.url for asked in listener.asked] == ["https://shop.example.org/terms"]


async def test_nobody_is_asked_where_it_is_not_known_for_whom(tmp_path: Path) -> None:
    async with opening(*ROGUE, "asks", str(tmp_path)) as connection:
        listener = Listener(Response("accept", {"name": "Ada"}))
        alone = await connection.call("work", {}, listener.hearing)
        assert json.loads(words(alone)) == {"action": "accept", "content": {"name": "Ada"}}
        other = Listener()
        waiting = asyncio.create_task(connection.call("work", {"wait": 1}, other.hearing))
        await become((tmp_path / "called").exists)
        among_others = await connection.call("work", {}, listener.hearing)
        assert json.loads(words(among_others)) == {"action": "decline"}
        assert len(listener.asked) == 1
        assert other.asked == []
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_a_server_is_asked_again_when_it_says_that_its_tools_changed(tmp_path: Path) -> None:
    watch = Watch()
    async with opening(*ROGUE, "growing", str(tmp_path), watch=watch) as connection:
        assert [tool.name for tool in await connection.tools()] == ["work"]
        await connection.call("work", {}, Listener().hearing)
        await asyncio.wait_for(watch.changed.wait(), PATIENT)
        assert [tool.name for tool in await connection.tools()] == ["work", "more"]


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_newer_servers_are_listened_to_for_changes(transport: str) -> None:
    watch = Watch()
    async with over_http() as url:
        command = WORKSHOP if transport == "stdio" else ()
        reached = url if transport == "http" else None
        async with opening(*command, url=reached, watch=watch) as connection:
            # The stream may open a moment after the first call: growing again is a change again.
            while not watch.changed.is_set():
                await connection.call("grow", {}, Listener().hearing)
            assert "grown" in [tool.name for tool in await connection.tools()]


async def test_a_child_knows_only_what_it_is_told() -> None:
    given = {"HF_TOKEN": "hf_own"}
    async with opening(*ROGUE, "environment", environment=given) as connection:
        told = json.loads(words(await connection.call("work", {}, Listener().hearing)))
    assert told["HF_TOKEN"] == "hf_own"
    assert told["PATH"] == os.environ["PATH"]
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert "PYTEST_CURRENT_TEST" not in told


async def test_headers_go_with_every_request() -> None:
    headers = {"Authorization": "Bearer own"}
    async with over_http() as url, opening(url=url, headers=headers) as connection:
        said = await connection.call("whoami", {}, Listener().hearing)
        assert "Bearer own" in words(said)


async def test_a_cancelled_call_is_cancelled_at_the_server_too(tmp_path: Path) -> None:
    async with opening(*ROGUE, "slow", str(tmp_path)) as connection:
        call = asyncio.create_task(connection.call("work", {}, Listener().hearing))
        await become((tmp_path / "called").exists)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        await become((tmp_path / "cancelled").exists)


@pytest.mark.parametrize("way", ["dies", "unreadable"])
async def test_a_server_that_ends_or_is_not_understood_fails_its_calls_at_once(way: str) -> None:
    watch = Watch()
    async with opening(*ROGUE, way, watch=watch) as connection:
        with pytest.raises(Problem) as failed:
            await connection.call("work", {}, Listener().hearing)
        assert failed.value.code == "mcp_lost"
        await asyncio.wait_for(watch.lost.wait(), PATIENT)


async def test_a_line_that_never_ends_costs_the_connection_not_the_memory() -> None:
    watch = Watch()
    async with opening(*ROGUE, "floods", watch=watch) as connection:
        with pytest.raises(Problem) as failed:
            await connection.call("work", {}, Listener().hearing)
        assert failed.value.code == "mcp_lost"
        await asyncio.wait_for(watch.lost.wait(), PATIENT)


async def test_answers_that_are_none_are_told_from_those_that_are() -> None:
    async with opening(*ROGUE, "lies") as connection:
        with pytest.raises(Problem, match="failed"):
            await connection.call("work", {}, Listener().hearing)


async def test_chatter_between_the_messages_is_passed_over() -> None:
    async with opening(*ROGUE, "babbles") as connection:
        assert words(await connection.call("work", {}, Listener().hearing)) == "done"


async def test_complaints_never_stop_a_server() -> None:
    async with opening(*ROGUE, "complains") as connection:
        assert words(await connection.call("work", {}, Listener().hearing)) == "done"


async def test_a_crowd_of_tools_is_cut() -> None:
    async with opening(*ROGUE, "crowded") as connection:
        assert len(await connection.tools()) == MOST_TOOLS


async def test_a_server_that_is_not_there_is_a_problem_not_an_accident() -> None:
    with pytest.raises(Problem) as missing:
        async with opening("no-such-program-anywhere"):
            pass
    assert missing.value.code == "mcp_not_found"
    with pytest.raises(Problem) as ended:
        async with opening("true"):
            pass
    assert ended.value.code == "mcp_unreachable"
    async with over_http() as url:
        gone = url
    with pytest.raises(Problem) as refused:
        async with opening(url=gone):
            pass
    assert refused.value.code == "mcp_unreachable"


async def test_a_server_over_http_that_goes_away_is_lost_and_looked_for() -> None:
    """The SDK's transport takes the task down that opened it: nobody else must be hurt."""
    waits = asyncio.Semaphore(0)
    time = Time(lambda: 0.0, lambda _: waits.acquire(), lambda: 1.0)
    async with over_http() as url:
        link = Link(target(url=url), opened, Patience(start=PATIENT, waits=(1,)), time)
        async with link.using() as connection:
            said = await connection.call("add", {"a": 1, "b": 1}, Listener().hearing)
        assert words(said) == "2"
    with pytest.raises(Problem):
        async with link.using() as connection:
            await connection.call("add", {"a": 1, "b": 1}, Listener().hearing)
    await become(lambda: link.losses == 1)
    assert link.problem is not None
    waits.release()
    await become(lambda: not link.is_open)
    assert link.is_resting
    await link.close()
