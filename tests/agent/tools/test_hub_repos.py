"""hf_repo_git through the real library, against the tests' own Hub."""

from typing import Any, get_args, get_type_hints

import pytest

from agent.tools.hub_repos import READS, RepoGitArguments
from tests.agent.tools.hub_scene import HubTools, fake, tools
from tests.fakes.hub.server import FakeHub

__all__ = ["fake", "tools"]
GIT = "hf_repo_git"
OPERATIONS = get_args(get_type_hints(RepoGitArguments)["operation"])
FULL = {
    "repo_id": "ada/net",
    "branch": "b",
    "tag": "t",
    "num": 1,
    "title": "T",
    "comment": "c",
    "status": "open",
    "private": True,
}


async def test_branches_are_made_and_deleted(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("ada/net", refs={"main": {"a": b"1"}, "v1": {"a": b"0"}})
    made = await tools.says(GIT, operation="create_branch", repo_id="ada/net", branch="next/one")
    assert made == "Made the branch next/one of ada/net from main."
    assert repo.refs["next/one"] == {"a": b"1"}
    asked = {"operation": "create_branch", "repo_id": "ada/net", "revision": "v1"}
    await tools.says(GIT, **asked, branch="old")
    assert repo.refs["old"] == {"a": b"0"}
    again = await tools.fails(GIT, **asked, branch="old")
    assert "exists already" in again
    await tools.says(GIT, operation="delete_branch", repo_id="ada/net", branch="next/one")
    assert sorted(repo.refs) == ["main", "old", "v1"]
    kept = await tools.fails(GIT, operation="delete_branch", repo_id="ada/net", branch="main")
    assert "cannot be deleted" in kept


async def test_tags_are_made_and_deleted(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("ada/set", "dataset")
    asked: dict[str, Any] = {"repo_id": "ada/set", "repo_type": "dataset", "tag": "v1.0"}
    await tools.says(GIT, operation="create_tag", **asked, description="First")
    assert repo.tags == {"v1.0"}
    await tools.says(GIT, operation="delete_tag", **asked)
    assert repo.tags == set()
    gone = await tools.fails(GIT, operation="delete_tag", **asked)
    assert "no such branch, tag or commit" in gone


async def test_refs_are_listed(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("ada/net", refs={"main": {}, "v1": {}}, tags={"v1"})
    fake.discussions.add(repo, "Better")
    listed = await tools.says(GIT, operation="list_refs", repo_id="ada/net")
    at = repo.oid()[:12]
    assert listed.splitlines() == [
        "Refs of ada/net (model):",
        f"- branch main at {at}",
        f"- tag v1 at {at}",
        f"- pull request refs/pr/1 at {at}",
    ]


async def test_a_pull_request_is_opened_filled_and_merged(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("ada/net")
    asked: dict[str, Any] = {"repo_id": "ada/net", "num": 1}
    made = await tools.says(GIT, operation="create_pr", repo_id="ada/net", title="Add a card")
    assert "draft pull request #1" in made
    assert "refs/pr/1" in made
    await tools.says(
        "hf_repo_files",
        operation="upload",
        repo_id="ada/net",
        revision="refs/pr/1",
        path="a.txt",
        content="new",
    )
    await tools.says(GIT, operation="change_pr_status", status="open", **asked)
    await tools.says(GIT, operation="comment_pr", comment="Please look.", **asked)
    shown = await tools.says(GIT, operation="get_pr", **asked)
    assert shown.startswith("#1 pull request, open: Add a card (by ada)")
    assert "ada, 2026-11-01: Please look." in shown
    assert await tools.says(GIT, operation="merge_pr", **asked) == "Merged #1 of ada/net."
    assert repo.refs["main"] == {"a.txt": b"new"}


async def test_pull_requests_are_listed_and_closed(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("ada/net")
    fake.discussions.add(repo, "One").status = "open"
    fake.discussions.add(repo, "A question", pull=False)
    asked: dict[str, Any] = {"repo_id": "ada/net"}
    listed = await tools.says(GIT, operation="list_prs", **asked)
    assert listed.splitlines() == [
        "- #1 pull request, open: One (by bob, 2026-11-01)",
        "- #2 discussion, open: A question (by bob, 2026-11-01)",
    ]
    closed = await tools.says(GIT, operation="close_pr", num=1, comment="Done elsewhere", **asked)
    assert closed == "#1 of ada/net is closed now."
    assert "#1" in await tools.says(GIT, operation="list_prs", status="closed", **asked)
    missing = await tools.fails(GIT, operation="get_pr", num=9, **asked)
    assert "nothing there" in missing


async def test_repositories_are_made_private_unless_told_otherwise(
    fake: FakeHub, tools: HubTools
) -> None:
    await tools.says(GIT, operation="create_repo", repo_id="ada/new")
    asked: dict[str, Any] = {"repo_id": "ada/open", "repo_type": "dataset"}
    made = await tools.says(GIT, operation="create_repo", private=False, **asked)
    assert made == f"Made the public dataset {fake.url}/datasets/ada/open."
    repos = fake.repos.all
    assert (repos["model", "ada/new"].private, repos["dataset", "ada/open"].private) == (
        True,
        False,
    )
    again = await tools.fails(GIT, operation="create_repo", **asked)
    assert "exists already" in again
    unclear = await tools.fails(GIT, operation="create_repo", repo_id="ada/s", repo_type="space")
    assert "space_sdk" in unclear


async def test_settings_are_changed(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("ada/net", private=True)
    asked: dict[str, Any] = {"operation": "update_repo", "repo_id": "ada/net"}
    told = await tools.says(GIT, **asked, private=False, gated="auto")
    assert told == "ada/net is changed: public, gated: auto."
    assert (repo.private, repo.gated) == (False, "auto")
    await tools.says(GIT, **asked, gated="off")
    assert (repo.private, repo.gated) == (False, False)
    assert await tools.fails(GIT, **asked) == ("The operation update_repo needs: private or gated.")


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_only_what_looks_is_read_and_all_else_asks(operation: str, tools: HubTools) -> None:
    effect = tools.toolbox.stakes(GIT, {"operation": operation, **FULL}).effect
    assert effect == ("read" if operation in READS else "publish")


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one not in READS])
async def test_nothing_is_changed_without_a_token(
    operation: str, fake: FakeHub, tools: HubTools
) -> None:
    failed = await tools.fails(GIT, token=None, operation=operation, **FULL)
    assert failed.startswith("Nothing was done. The user has given no Hugging Face token.")
    assert fake.asked == []


@pytest.mark.parametrize(
    ("operation", "lacks"),
    [
        ("create_branch", "branch"),
        ("delete_tag", "tag"),
        ("get_pr", "num"),
        ("create_pr", "title"),
        ("comment_pr", "num, comment"),
        ("change_pr_status", "num, status"),
    ],
)
async def test_what_an_operation_lacks_is_named(
    operation: str, lacks: str, tools: HubTools
) -> None:
    said = await tools.fails(GIT, operation=operation, repo_id="ada/net")
    assert said == f"The operation {operation} needs: {lacks}."
