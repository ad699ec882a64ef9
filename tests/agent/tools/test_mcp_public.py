"""Servers of tools that others wrote, as their packages bring them."""

import asyncio
import sys
from pathlib import Path

from tests.agent.tools.mcp_stage import Listener, opening, words

TIME = (sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC")
GIT = (sys.executable, "-m", "mcp_server_git")


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
