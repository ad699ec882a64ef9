"""The github tool against GitHub's REST API as a server of the tests speaks it."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import pytest_asyncio

from agent.tools.egress import Egress
from agent.tools.github import Github
from agent.tools.toolbox import Finished, Toolbox
from tests.agent.tools.calls import Calls
from tests.fakes.web import PUBLIC, Web

TREE = {
    "tree": [
        {"path": "examples/sft/train.py", "type": "blob", "size": 900},
        {"path": "src/sft_trainer.py", "type": "blob", "size": 5000},
        {"path": "examples/dpo/train.py", "type": "blob", "size": 800},
        {"path": "examples/sft", "type": "tree"},
        {"path": "examples/sft/logo.png", "type": "blob", "size": 1},
    ],
    "truncated": False,
}
REPOSITORY = {
    "full_name": "ada/trl",
    "description": "Trains.",
    "stargazers_count": 7,
    "default_branch": "main",
    "pushed_at": "2026-11-01T00:00:00Z",
    "private": False,
}


class Hub(Web):
    def json(self, path: str, content: object, status: int = 200) -> None:
        self.page(path, msgspec.json.encode(content), "application/json", status=status)


class Mine:
    def hub(self) -> None:
        return None

    def login(self, server: str) -> None:
        return None

    def github(self) -> str:
        return "ghp_mine"

    def secret(self, name: str) -> str | None:
        return self.github() if name == "GITHUB_TOKEN" else None

    def names(self) -> tuple[str, ...]:
        return ("GITHUB_TOKEN",)


@pytest_asyncio.fixture
async def github() -> AsyncIterator[Hub]:
    async with Hub() as server:
        yield server


class Ask:
    def __init__(self, github: Hub, calls: Calls, executor: ThreadPoolExecutor) -> None:
        tool = Github(Egress(allow=(f"{PUBLIC}/32",)), github.url().rstrip("/"))
        self._toolbox = Toolbox([tool], executor)
        self._calls = calls

    async def __call__(self, operation: str, *, mine: bool = False, **more: object) -> Finished:
        call = self._calls()
        if mine:
            call = msgspec.structs.replace(call, keys=Mine())
        return await self._toolbox.call("github", {"operation": operation, **more}, call)


@pytest.fixture
def ask(github: Hub, calls: Calls, executor: ThreadPoolExecutor) -> Ask:
    return Ask(github, calls, executor)


async def test_examples_of_a_repository_come_best_first(github: Hub, ask: Ask) -> None:
    github.json("/repos/ada/trl/git/trees/HEAD", TREE)
    found = await ask("find_examples", repo="ada/trl", query="SFT train")
    assert found.output.splitlines() == [
        "ada/trl examples/sft/train.py (900 bytes)",
        "ada/trl src/sft_trainer.py (5000 bytes)",
        "ada/trl examples/dpo/train.py (800 bytes)",
    ]


async def test_examples_are_looked_for_in_the_best_repositories_of_an_owner(
    github: Hub, ask: Ask
) -> None:
    github.json("/search/repositories", {"items": [REPOSITORY]})
    github.json("/repos/ada/trl/git/trees/HEAD", TREE)
    found = await ask("find_examples", owner="ada", query="dpo", limit=1)
    assert found.output == "ada/trl examples/dpo/train.py (800 bytes)"
    assert github.asked[0].query["q"] == "dpo user:ada"


async def test_no_examples_are_said(github: Hub, ask: Ask) -> None:
    github.json("/repos/ada/trl/git/trees/v1", TREE)
    found = await ask("find_examples", repo="ada/trl", query="grpo", ref="v1")
    assert (found.status, "No examples of 'grpo' in ada/trl" in found.output) == ("ok", True)


async def test_repositories_are_listed(github: Hub, ask: Ask) -> None:
    github.json("/users/ada/repos", [REPOSITORY])
    assert (await ask("list_repositories", owner="ada")).output == (
        "ada/trl · 7 stars · pushed 2026-11-01T00:00:00Z · Trains."
    )
    github.json("/users/bob/repos", [])
    assert (await ask("list_repositories", owner="bob")).output == (
        "bob has no public repositories."
    )


async def test_a_file_is_read_by_lines(github: Hub, ask: Ask) -> None:
    text = "".join(f"line {n}\n" for n in range(1, 11))
    github.page("/repos/ada/trl/contents/docs/a b.md", text, "text/plain")
    read = await ask("read_file", repo="ada/trl", path="/docs/a b.md", offset=3, limit=2, ref="v1")
    assert read.output == "[ada/trl /docs/a b.md, lines 3 to 4 of 10]\nline 3\nline 4"
    assert github.asked[0].query["ref"] == "v1"


async def test_of_a_file_that_is_too_large_the_beginning_is_read(
    github: Hub, executor: ThreadPoolExecutor, calls: Calls
) -> None:
    github.page("/repos/ada/trl/contents/a.txt", "one\ntwo\nthree\n", "text/plain")
    egress = Egress(allow=(f"{PUBLIC}/32",), max_bytes=8)
    toolbox = Toolbox([Github(egress, github.url().rstrip("/"))], executor)
    asked = {"operation": "read_file", "repo": "ada/trl", "path": "a.txt"}
    read = await toolbox.call("github", asked, calls())
    assert read.output.splitlines() == [
        "[ada/trl a.txt, lines 1 to 2 of 2; the file is larger: only its beginning can be read"
        " here]",
        "one",
        "two",
    ]


async def test_a_binary_file_is_not_read(github: Hub, ask: Ask) -> None:
    github.page("/repos/ada/trl/contents/a.bin", b"\0\1", "application/octet-stream")
    read = await ask("read_file", repo="ada/trl", path="a.bin")
    assert (read.status, "binary" in read.output) == ("error", True)


async def test_a_path_leads_to_no_other_call(github: Hub, ask: Ask) -> None:
    read = await ask("read_file", repo="ada/trl", path="../../../user", mine=True)
    assert (read.status, github.asked) == ("error", [])


async def test_the_token_of_the_user_goes_along_where_there_is_one(github: Hub, ask: Ask) -> None:
    github.json("/users/ada/repos", [])
    await ask("list_repositories", owner="ada")
    await ask("list_repositories", owner="ada", mine=True)
    assert [r.headers.get("Authorization") for r in github.asked] == [None, "Bearer ghp_mine"]


@pytest.mark.parametrize(
    ("operation", "lacks"),
    [
        ("find_examples", "query, repo"),
        ("list_repositories", "owner"),
        ("read_file", "repo, path"),
    ],
)
async def test_what_an_operation_lacks_is_named(operation: str, lacks: str, ask: Ask) -> None:
    refused = await ask(operation)
    assert refused.output == f"The operation {operation} needs: {lacks}."


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "Renew it"),
        (403, "A GITHUB_TOKEN raises the limit"),
        (404, "Check owner, name"),
        (429, "allows no more requests"),
        (500, "status 500"),
        (200, "no usable answer"),
    ],
)
async def test_every_failure_says_what_to_do(status: int, says: str, github: Hub, ask: Ask) -> None:
    github.json("/users/ada/repos", {"message": "no"}, status)
    failed = await ask("list_repositories", owner="ada")
    assert failed.status == "error"
    assert says in failed.output
