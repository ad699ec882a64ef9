"""What goes wrong at the Hub, whose token goes out, and what a call that is given up leaves."""

import asyncio
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agent.errors import Problem
from agent.tools.hub_client import Hub, prepare
from agent.tools.hub_failures import patiently
from agent.tools.hub_web import HubWeb
from tests.agent.tools.hub_scene import HOST, HubTools, Mine, fake, tools
from tests.fakes.hub.server import ADA, FakeHub

__all__ = ["fake", "tools"]
LIST: dict[str, Any] = {"operation": "list", "repo_id": "ada/net"}
READ: dict[str, Any] = {"operation": "read", "repo_id": "ada/net", "path": "a.txt"}
UPLOAD: dict[str, Any] = {**READ, "operation": "upload", "content": "x"}
FILES = "hf_repo_files"
WAYS = pytest.mark.parametrize("way", [LIST, READ], ids=["library", "http"])
FAILURES = [
    (401, {}, "The Hub does not accept the token"),
    (401, {"X-Error-Code": "RepoNotFound"}, "no such repository, or it is private"),
    (403, {}, "The token may not do this"),
    (403, {"X-Error-Code": "GatedRepo"}, "accept its terms on its page"),
    (404, {"X-Error-Code": "RevisionNotFound"}, "list_refs"),
    (404, {"X-Error-Code": "EntryNotFound"}, "There is no such file"),
    (404, {}, "The Hub has nothing there"),
    (429, {"Retry-After": "77"}, "Try in 77 seconds"),
    (429, {}, "Try in a minute or two"),
    (422, {}, "refused this (status 422)"),
]


@WAYS
@pytest.mark.parametrize(("status", "headers", "says"), FAILURES)
async def test_every_failure_says_what_to_do(
    status: int,
    headers: dict[str, str],
    says: str,
    way: dict[str, Any],
    fake: FakeHub,
    tools: HubTools,
) -> None:
    fake.fail("ada/net", status, headers=headers)
    assert says in await tools.fails(FILES, **way)
    assert len(fake.asked) == 1, "nothing is asked again behind our back"


@WAYS
async def test_what_only_a_token_opens_asks_for_one(
    way: dict[str, Any], fake: FakeHub, tools: HubTools
) -> None:
    fake.repos.add("ada/net", private=True, refs={"main": {"a.txt": b"secret"}})
    said = await tools.fails(FILES, token=None, **way)
    assert "given no Hugging Face token" in said
    assert "a.txt" in await tools.says(FILES, **LIST)


@pytest.mark.parametrize("how", [503, "cut", "garbage"])
async def test_what_fails_for_a_moment_is_asked_again_and_said(
    how: Any, fake: FakeHub, tmp_path: Path
) -> None:
    naps: list[float] = []
    shown: list[str] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    fake.repos.add("ada/net", refs={"main": {"a.txt": b"text"}})
    fake.fail("ada/net", how, times=2)
    hub = Hub(fake.url, tmp_path)

    def list_files() -> Any:
        return hub.ask(Mine(ADA), lambda api: [one.path for one in api.list_repo_tree("ada/net")])

    found = await patiently(list_files, shown.append, sleep=nap)
    assert (found, naps) == (["a.txt"], [1.0, 4.0])
    assert [line.endswith("Trying again in 1 s.\n") for line in shown] == [True, False]


async def test_a_change_is_never_made_twice(fake: FakeHub, tools: HubTools) -> None:
    fake.repos.add("ada/net")
    for how in (503, "cut"):
        fake.fail("/commit/", how)
        assert (await tools.fails(FILES, **UPLOAD)).endswith("later.")
        fake.faults.clear()
    assert [path for path in fake.paths("POST") if "/commit/" in path] == [
        "/api/models/ada/net/commit/main"
    ] * 2


async def test_a_server_that_is_silent_ends_the_call(fake: FakeHub, tmp_path: Path) -> None:
    fake.fail("ada/net", "slow")
    for hub in (Hub(fake.url, tmp_path, silence=0.1), Hub(fake.url, tmp_path, seconds=0.1)):
        with pytest.raises(Problem, match=r"did not answer within 0\.1 s") as caught:
            await hub.ask(Mine(ADA), lambda api: list(api.list_repo_tree("ada/net")))
        assert caught.value.code == "hub_timed_out"


async def test_a_call_whose_time_is_over_says_so_also_where_its_thread_notices_first(
    fake: FakeHub, tmp_path: Path
) -> None:
    hub = Hub(fake.url, tmp_path, seconds=30, clock=count(0, 1_000).__next__)
    with pytest.raises(Problem, match="did not answer within 30 s"):
        await hub.ask(Mine(ADA), lambda api: api.repo_info("ada/net"))
    assert fake.asked == []


async def test_the_time_that_the_library_takes_to_load_is_no_calls(
    fake: FakeHub, tmp_path: Path
) -> None:
    fake.repos.add("ada/net")
    now = [0.0]

    def load(home: Path) -> None:
        prepare(home)
        now[0] += 1_000

    hub = Hub(fake.url, tmp_path, seconds=30, clock=lambda: now[0], load=load)
    for _ in range(2):
        found = await hub.ask(Mine(ADA), lambda api: api.repo_info("ada/net").id)
        assert (found, now) == ("ada/net", [1_000.0])


async def test_a_call_that_is_cancelled_returns_at_once_and_changes_nothing_afterwards(
    fake: FakeHub, tmp_path: Path
) -> None:
    fake.repos.add("ada/net")
    fault = fake.fail("/preupload/", "slow")
    hub = Hub(fake.url, tmp_path)

    def upload(api: Any) -> None:
        api.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id="ada/net")

    task = asyncio.create_task(hub.ask(Mine(ADA), upload))
    await fault.met.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [path for path in fake.paths("POST") if "/commit/" in path]


async def test_a_call_given_up_makes_no_further_request(fake: FakeHub, tmp_path: Path) -> None:
    fake.repos.add("ada/net")
    hub = Hub(fake.url, tmp_path)
    loop = asyncio.get_running_loop()
    first, cancelled, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    codes: list[str] = []

    def two_requests(api: Any) -> None:
        api.repo_info("ada/net")
        loop.call_soon_threadsafe(first.set)
        asyncio.run_coroutine_threadsafe(cancelled.wait(), loop).result()
        try:
            api.repo_info("ada/net")
        except Problem as problem:
            codes.append(problem.code)
        loop.call_soon_threadsafe(ended.set)

    task = asyncio.create_task(hub.ask(Mine(ADA), two_requests))
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    cancelled.set()
    await ended.wait()
    assert (codes, len(fake.asked)) == (["hub_stopped"], 1)


async def test_only_so_many_calls_wait(fake: FakeHub, tmp_path: Path) -> None:
    fault = fake.fail("ada/net", "slow")
    hub = Hub(fake.url, tmp_path, threads=1, waiting=0)

    def ask() -> Any:
        return hub.ask(Mine(ADA), lambda api: api.repo_info("ada/net"))

    task = asyncio.create_task(ask())
    await fault.met.wait()
    with pytest.raises(Problem, match="Too many calls wait"):
        await ask()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("how", "code"),
    [("slow", "hub_timed_out"), ("cut", "hub_unreachable"), ("garbage", "hub_failed")],
)
async def test_what_breaks_off_over_http_is_a_problem_too(
    how: Any, code: str, fake: FakeHub
) -> None:
    fake.fail("/api/x", how)
    with pytest.raises(Problem) as caught:
        await HubWeb(fake.url, seconds=0.1 if how == "slow" else 30).json(("api", "x"), list[str])
    assert caught.value.code == code


async def test_a_hub_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    async with FakeHub() as gone:
        pass
    with pytest.raises(Problem) as caught:
        await Hub(gone.url, tmp_path).ask(Mine(None), lambda api: api.repo_info("ada/net"))
    assert caught.value.code == "hub_unreachable"


@pytest.mark.parametrize(
    "arguments",
    [
        {"operation": "list", "repo_id": "../x"},
        {"operation": "list", "repo_id": "ada/.."},
        {"operation": "list", "repo_id": "ada/net/x"},
        {"operation": "list", "repo_id": "ada/net", "path": "a/../.."},
        {"operation": "list", "repo_id": "ada/net", "revision": ".."},
        {"operation": "read", "repo_id": "ada/net", "path": "a", "revision": "main/../x"},
        {"operation": "delete", "repo_id": "ada/net", "path": "a", "revision": "./x"},
        {"operation": "upload", "repo_id": "ada/net", "path": "../a", "content": "x"},
    ],
)
async def test_no_name_leads_to_another_call(
    arguments: dict[str, Any], fake: FakeHub, tools: HubTools
) -> None:
    await tools.fails(FILES, **arguments)
    assert fake.asked == []


@pytest.mark.parametrize("branch", ["..", "a/..", "a..b", ".hidden", "/x", "a.", ""])
async def test_no_branch_leads_to_another_call(branch: str, fake: FakeHub, tools: HubTools) -> None:
    asked = {"operation": "delete_branch", "repo_id": "ada/net", "branch": branch}
    await tools.fails("hf_repo_git", **asked)
    assert fake.asked == []


# ---- whose token -------------------------------------------------------------------------------

EVERYTHING: list[tuple[str, dict[str, Any]]] = [
    (FILES, LIST),
    (FILES, READ),
    ("hf_repo_git", {"operation": "list_refs", "repo_id": "ada/net"}),
    ("hf_repo_git", {"operation": "list_prs", "repo_id": "ada/net"}),
    ("hf_inspect_dataset", {"dataset": "ada/set"}),
    ("hf_search", {"query": "x"}),
    ("hf_docs", {"operation": "explore", "query": "sft"}),
    ("hf_docs", {"operation": "fetch", "url": "trl/sft"}),
    ("hf_docs", {"operation": "api_search", "query": "jobs"}),
    *(
        ("hf_papers", {"operation": operation, "query": "x", "id": "2305.18290"})
        for operation in (
            *("search", "trending", "details", "read", "citations", "recommend"),
            *("datasets", "models", "collections"),
        )
    ),
]


@pytest.fixture
def host_token(tmp_path: Path) -> Callable[[], None]:
    """Whoever started the server is logged in, in every way that the library knows."""
    before = dict(os.environ)
    os.environ |= {"HF_TOKEN": HOST, "HUGGING_FACE_HUB_TOKEN": HOST}

    def restore() -> None:
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            os.environ.pop(name)
            if name in before:
                os.environ[name] = before[name]

    return restore


@pytest.mark.parametrize("token", [None, ADA])
async def test_the_token_of_the_host_never_goes_out(
    token: str | None, fake: FakeHub, tools: HubTools, host_token: Callable[[], None]
) -> None:
    try:
        for name, arguments in EVERYTHING:
            fake.asked.clear()
            await tools(name, token=token, **arguments)
            assert fake.asked, (name, arguments)
            assert fake.tokens <= {token and f"Bearer {token}", None}, (name, arguments)
    finally:
        host_token()


async def test_the_token_of_a_user_goes_to_the_hub_and_to_nobody_else(
    fake: FakeHub, tools: HubTools
) -> None:
    fake.repos.add("ada/net", refs={"main": {"a.txt": b"x"}})
    for way in (LIST, READ):
        fake.asked.clear()
        await tools.says(FILES, **way)
        assert fake.tokens == {f"Bearer {ADA}"}
    fake.asked.clear()
    await tools("hf_papers", operation="citations", id="2305.18290")
    assert fake.tokens == {None}
