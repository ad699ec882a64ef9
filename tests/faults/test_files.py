"""Files are whole whenever the server dies: an undo is finished, a half upload was never there."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api import Api
from tests.faults.scene import world
from tests.model_server import CallScript
from tests.stories.scene import Story, bash, calls

WITHIN = 60.0


async def names(api: Api, session: str) -> list[str]:
    listed = await api.good("GET", f"/api/sessions/{session}/files")
    return [file["path"] for file in listed["files"]]


def write(name: str) -> CallScript:
    return CallScript("write", {"path": name, "content": "x"})


async def killed_between_an_undo_and_its_restore(story: Story) -> str:
    """A session whose last turn is undone in the log, with its files as they were before that."""
    session, viewer = await story.begin()
    await story.turn(viewer, "Write", calls(write("kept")))
    await story.turn(viewer, "Write", calls(write("undone")))
    files, aside = story.server.data / "workspaces" / session, story.server.data.parent / "aside"
    shutil.copytree(files, aside, symlinks=True)
    await viewer.accepted("undo")
    await story.server.kill9()
    shutil.rmtree(files)
    aside.rename(files)
    await story.server.start()
    await story.connect()
    return session


@pytest.mark.parametrize("look", ["list", "get", "put"])
async def test_nobody_sees_what_was_undone_when_the_server_died_in_between(
    look: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as story:
        session = await killed_between_an_undo_and_its_restore(story)
        path = f"/api/sessions/{session}/files"
        if look == "get":
            assert (await story.api.get(f"{path}/undone")).status == 404
        if look == "put":
            await story.put(session, "new", b"y")
        expected = ["kept", "new"] if look == "put" else ["kept"]
        assert await names(story.api, session) == expected
        viewer = await story.join(session)
        await story.turn(viewer, "Look", calls(bash("ls")))
        assert viewer.of("tool_output")[-1]["output"].split() == expected


async def test_an_upload_that_the_server_died_in_leaves_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as story:
        session, viewer = await story.begin()
        await story.put(session, "whole", b"old")
        files = story.server.data / "workspaces" / session
        writer = await half_an_upload(story, session, "whole")
        await until(lambda: bool(parts(files)))
        await story.turn(viewer, "Look", calls(bash("ls -A")))
        assert viewer.of("tool_output")[0]["output"].split() == ["whole"]
        await story.turn(viewer, "Write", calls(write("by the agent")))
        assert await names(story.api, session) == ["by the agent", "whole"]
        assert len(parts(files)) == 1, "a checkpoint sweeps away no file that is being written"
        await story.server.kill9()
        writer.close()
        assert len(parts(files)) == 1
        await story.server.start()
        await story.connect()
        await until(lambda: not parts(files))
        assert await names(story.api, session) == ["by the agent", "whole"]
        assert (await story.api.get(f"/api/sessions/{session}/files/whole")).body == b"old"


async def half_an_upload(story: Story, session: str, name: str) -> asyncio.StreamWriter:
    url = urlsplit(story.server.url)
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(
        f"POST /api/sessions/{session}/files HTTP/1.1\r\nHost: {url.netloc}\r\n"
        "Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: 1000000\r\n\r\n"
        f'--xyz\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + b"x" * 300_000
    )
    return writer


def parts(files: Path) -> list[Path]:
    """What is being written, or was."""
    found = os.walk(files)  # which minds no folder that goes away meanwhile
    return [Path(place, name) for place, _, names in found for name in names if is_part(name)]


def is_part(name: str) -> bool:
    return name.endswith(".part")


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not happened():  # noqa: ASYNC110 - a disk tells nobody
            await asyncio.sleep(0.02)
