"""One workspace object a session while anybody holds it, and files reached through no link."""

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.sessions.workspaces import Workspaces


async def test_there_is_one_object_for_a_folder_while_it_is_held(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        workspaces = Workspaces(tmp_path, threads)
        held = workspaces.of("s1")
        assert workspaces.of("s1") is held
        assert workspaces.of("s2") is not held
        del held
        gc.collect()
        assert list(workspaces._open) == []


async def test_files_are_those_of_now_and_copies_those_of_then(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        workspaces = Workspaces(tmp_path, threads)
        beneath = await workspaces.beneath("s1")
        await workspaces.blocking(lambda: beneath.write("a", b"one"))
        assert await workspaces.copy("s1", "t1", [], "s2")
        await workspaces.blocking(lambda: beneath.write("a", b"two"))
        copied = await workspaces.beneath("s2")
        with copied.open("a") as file:
            assert file.read() == b"one"
        await workspaces.of("s1").delete()
        assert [path.name for path in tmp_path.iterdir()] == ["s2"]
