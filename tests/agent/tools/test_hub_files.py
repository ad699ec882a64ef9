"""hf_repo_files through the real library, against the tests' own Hub."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from agent.protocol import Effect
from agent.sandbox.workspace import SessionWorkspace
from agent.tools.hub_files import MOST_UPLOADS
from tests.agent.tools.hub_scene import HubTools, fake, tools
from tests.fakes.hub.server import FakeHub

__all__ = ["fake", "tools"]
FILES = "hf_repo_files"


@pytest.fixture
def tree(workspace: SessionWorkspace) -> Path:
    workspace.tree.mkdir(parents=True, exist_ok=True)
    return workspace.tree


async def test_files_are_listed_with_their_sizes(fake: FakeHub, tools: HubTools) -> None:
    files = {"README.md": b"# Hi", "data/a.json": b"{}", "model.safetensors": b"x" * 1494}
    fake.repos.add("ada/net", refs={"main": files}, large={"model.safetensors"})
    assert (await tools.says(FILES, operation="list", repo_id="ada/net")).splitlines() == [
        "ada/net (model, main): 3 files, 1.5 kB",
        "- README.md · 4 B",
        "- data/a.json · 2 B",
        "- model.safetensors · 1.49 kB · large",
    ]


async def test_a_list_is_narrowed_by_folder_and_pattern(fake: FakeHub, tools: HubTools) -> None:
    files = {"a.json": b"", "data/a.json": b"", "data/b.txt": b""}
    fake.repos.add("ada/set", "dataset", refs={"main": files, "v1": {"old.txt": b""}})
    asked = {"operation": "list", "repo_id": "ada/set", "repo_type": "dataset"}
    below = await tools.says(FILES, **asked, path="data/", patterns=["*.json"])
    assert below.splitlines()[1:] == ["- data/a.json · 0 B"]
    old = await tools.says(FILES, **asked, revision="v1")
    assert old.splitlines() == ["ada/set (dataset, v1): 1 files, 0 B", "- old.txt · 0 B"]
    assert "no such files" in await tools.says(FILES, **asked, patterns=["*.bin"])


async def test_a_long_list_comes_in_parts(fake: FakeHub, tools: HubTools) -> None:
    fake.repos.add("ada/net", refs={"main": {f"{n}.txt": b"" for n in range(5)}})
    part = await tools.says(FILES, operation="list", repo_id="ada/net", offset=2, limit=2)
    assert part.splitlines()[1:] == [
        "- 1.txt · 0 B",
        "- 2.txt · 0 B",
        "[3 of 5; list on with offset 4]",
    ]


async def test_a_file_is_read_by_lines(fake: FakeHub, tools: HubTools) -> None:
    text = "".join(f"line {n}\n" for n in range(1, 10)).encode()
    fake.repos.add("ada/set", "dataset", refs={"main": {"docs/a b.md": text}})
    read = await tools.says(
        FILES,
        operation="read",
        repo_id="ada/set",
        repo_type="dataset",
        path="docs/a b.md",
        offset=3,
        limit=2,
    )
    assert read == ("     3\tline 3\n     4\tline 4\n[lines 3 to 4 of 9; read on with offset 5]")


async def test_a_binary_file_is_not_read(fake: FakeHub, tools: HubTools) -> None:
    fake.repos.add("ada/net", refs={"main": {"w.bin": b"\0\1"}})
    failed = await tools.fails(FILES, operation="read", repo_id="ada/net", path="w.bin")
    assert "binary file" in failed


async def test_of_a_file_that_is_too_large_the_beginning_is_read(
    fake: FakeHub, tools: HubTools
) -> None:
    fake.repos.add("ada/net", refs={"main": {"a.txt": (b"x" * 9_999 + b"\n") * 1_700}})
    read = await tools.says(FILES, operation="read", repo_id="ada/net", path="a.txt", limit=1)
    assert read.endswith("[the file is larger: only its beginning can be read here]")


@pytest.mark.parametrize("path", ["../secret", "a/../../b", ".", "//", "/"])
async def test_a_path_leads_to_no_other_call(path: str, fake: FakeHub, tools: HubTools) -> None:
    await tools.fails(FILES, operation="read", repo_id="ada/net", path=path)
    assert fake.asked == []


async def test_text_is_uploaded_in_a_commit(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("ada/net")
    told = await tools.says(
        FILES,
        operation="upload",
        repo_id="ada/net",
        path="README.md",
        content="---\nlicense: mit\n---\n# Net\n",
        commit_message="Say what it is",
    )
    assert repo.refs["main"] == {"README.md": b"---\nlicense: mit\n---\n# Net\n"}
    assert fake.commits.messages == ["Say what it is"]
    assert told.startswith("Uploaded README.md in ada/net (main): http")


async def test_a_file_of_the_workspace_is_uploaded(
    fake: FakeHub, tools: HubTools, tree: Path
) -> None:
    repo = fake.repos.add("ada/net")
    (tree / "out").mkdir()
    (tree / "out" / "w.safetensors").write_bytes(b"weights" * 1000)
    asked = {"operation": "upload", "repo_id": "ada/net", "path": "w.safetensors"}
    await tools.says(FILES, **asked, file="out/w.safetensors")
    sha = hashlib.sha256(b"weights" * 1000).hexdigest()
    assert repo.refs["main"] == {"w.safetensors": f"sha256 {sha}".encode()}
    assert (repo.large, fake.commits.stored > 0) == ({"w.safetensors"}, True)


@pytest.mark.parametrize(
    ("path", "there"), [("b.txt", "b.txt"), ("/", "a.txt"), ("x/y/", "x/y/a.txt")]
)
async def test_a_file_goes_by_its_own_name_into_a_folder(
    path: str, there: str, fake: FakeHub, tools: HubTools, tree: Path
) -> None:
    repo = fake.repos.add("ada/net")
    (tree / "a.txt").write_text("one")
    await tools.says(FILES, operation="upload", repo_id="ada/net", path=path, file="a.txt")
    assert repo.refs["main"] == {there: b"one"}


@pytest.mark.parametrize(("path", "top"), [("/", ""), ("out", "out/"), ("a/b/", "a/b/")])
async def test_a_folder_of_the_workspace_is_uploaded_in_one_commit(
    path: str, top: str, fake: FakeHub, tools: HubTools, tree: Path, tmp_path: Path
) -> None:
    repo = fake.repos.add("ada/net")
    (tmp_path / "secret").write_text("of the server")
    (tree / "run" / "logs").mkdir(parents=True)
    (tree / "run" / "config.json").write_text("{}")
    (tree / "run" / "logs" / "1.txt").write_text("one")
    (tree / "run" / "link").symlink_to(tmp_path / "secret")
    (tree / "running.txt").write_text("elsewhere")
    await tools.says(FILES, operation="upload", repo_id="ada/net", path=path, file="run")
    assert repo.refs["main"] == {f"{top}config.json": b"{}", f"{top}logs/1.txt": b"one"}
    assert fake.commits.messages == [f"Upload {path}"]


async def test_a_folder_of_too_many_files_is_refused(
    fake: FakeHub, tools: HubTools, tree: Path
) -> None:
    (tree / "run").mkdir()
    for number in range(MOST_UPLOADS + 1):
        (tree / "run" / f"{number}.txt").write_text("")
    asked = {"operation": "upload", "repo_id": "ada/net", "path": "/", "file": "run"}
    failed = await tools.fails(FILES, **asked)
    assert failed == "run holds 201 files. At most 200 go in one upload."
    assert fake.asked == []


async def test_an_upload_follows_no_link_out_of_the_workspace(
    fake: FakeHub, tools: HubTools, tree: Path, tmp_path: Path
) -> None:
    repo = fake.repos.add("ada/net")
    (tmp_path / "secret").write_text("of the server")
    (tree / "link").symlink_to(tmp_path / "secret")
    asked = {"operation": "upload", "repo_id": "ada/net", "path": "a.txt"}
    for file in ("link", "../secret", str(tmp_path / "secret"), "missing"):
        await tools.fails(FILES, **asked, file=file)
    assert repo.refs["main"] == {}
    assert fake.paths("POST") == []


async def test_an_upload_can_be_a_proposal(fake: FakeHub, tools: HubTools) -> None:
    repo = fake.repos.add("bob/net")
    asked = {"operation": "upload", "repo_id": "bob/net", "path": "a.txt", "content": "mine"}
    assert "may not do this" in await tools.fails(FILES, **asked)
    told = await tools.says(FILES, **asked, create_pr=True)
    assert told.startswith("Uploaded a.txt in a pull request to bob/net: http")
    assert (repo.refs["main"], repo.refs["refs/pr/1"]) == ({}, {"a.txt": b"mine"})


async def test_a_model_card_that_the_hub_does_not_accept_says_why(
    fake: FakeHub, tools: HubTools
) -> None:
    repo = fake.repos.add("ada/net")
    card = "---\nlicense: odd\n---\n"
    asked = {"operation": "upload", "repo_id": "ada/net", "path": "README.md", "content": card}
    assert "must be known" in await tools.fails(FILES, **asked)
    assert repo.refs["main"] == {}


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ({"path": "a.txt"}, ["b.txt", "data/c.txt", "data/d.json"]),
        ({"path": "data/"}, ["a.txt", "b.txt"]),
        ({"patterns": ["*.txt"]}, ["data/d.json"]),
        ({"patterns": ["a.*", "b.*"]}, ["data/c.txt", "data/d.json"]),
    ],
)
async def test_files_folders_and_patterns_are_deleted(
    what: dict[str, Any], left: list[str], fake: FakeHub, tools: HubTools
) -> None:
    names = ("a.txt", "b.txt", "data/c.txt", "data/d.json")
    repo = fake.repos.add("ada/net", refs={"main": dict.fromkeys(names, b"")}, private=True)
    await tools.says(FILES, operation="delete", repo_id="ada/net", **what)
    assert sorted(repo.refs["main"]) == left


async def test_what_is_not_there_is_not_deleted(fake: FakeHub, tools: HubTools) -> None:
    fake.repos.add("ada/net")
    asked = {"operation": "delete", "repo_id": "ada/net"}
    assert "nothing there" in await tools.fails(FILES, **asked, path="a.txt")
    both = await tools.fails(FILES, **asked, path="a.txt", patterns=["*"])
    assert both == "Delete either `path` or what `patterns` match."


@pytest.mark.parametrize(
    ("arguments", "lacks"),
    [
        ({"operation": "read"}, "The operation read needs: path."),
        ({"operation": "upload"}, "The operation upload needs: path."),
        ({"operation": "delete"}, "The operation delete needs: path."),
        ({"operation": "upload", "path": "a"}, "An upload needs either `content` or `file`."),
        (
            {"operation": "upload", "path": "a", "content": "", "file": "b"},
            "An upload needs either `content` or `file`.",
        ),
    ],
)
async def test_what_an_operation_lacks_is_named(
    arguments: dict[str, Any], lacks: str, fake: FakeHub, tools: HubTools
) -> None:
    assert await tools.fails(FILES, repo_id="ada/net", **arguments) == lacks
    assert fake.asked == []


@pytest.mark.parametrize("operation", ["upload", "delete"])
async def test_nothing_is_changed_without_a_token(
    operation: str, fake: FakeHub, tools: HubTools
) -> None:
    asked = {"repo_id": "ada/net", "path": "a.txt"} | (
        {"content": "x"} if operation == "upload" else {}
    )
    failed = await tools.fails(FILES, operation=operation, token=None, **asked)
    assert failed.startswith("Nothing was done. The user has given no Hugging Face token.")
    assert fake.asked == []


@pytest.mark.parametrize(
    ("operation", "effect"),
    [("list", "read"), ("read", "read"), ("upload", "publish"), ("delete", "publish")],
)
async def test_only_changes_are_published(operation: str, effect: Effect, tools: HubTools) -> None:
    arguments = {"operation": operation, "repo_id": "ada/net"}
    assert tools.toolbox.stakes(FILES, arguments).effect == effect


async def test_malformed_arguments_are_taken_for_the_gravest(tools: HubTools) -> None:
    assert tools.toolbox.stakes(FILES, {"operation": "burn"}).effect == "publish"
