"""Laws of going back, whatever was done to the files; and after real kills."""

import asyncio
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sandbox.workspace import SessionWorkspace
from tests.agent.sandbox.trees import Snapshot, snapshot

NAMES = st.sampled_from(["a", "b", "d", "d/a", "d/b", "d/e/a", "x y", "ü"])
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["write", "append", "delete", "mkdir", "link", "rename", "chmod", "touch"]),
        NAMES,
        NAMES,
    ),
    max_size=8,
)


def change(tree: Path, kind: str, name: str, other: str) -> None:
    """Do it where it can be done; what cannot is left."""
    path, second = tree / name, tree / other
    try:
        if kind in ("write", "append"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if kind == "append" else "w") as file:
                file.write(f"{kind} {other}")
        elif kind == "delete":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif kind == "mkdir":
            path.mkdir(parents=True)
        elif kind == "link":
            path.symlink_to(other)
        elif kind == "rename":
            path.rename(second)
        elif kind == "chmod":
            path.chmod(0o700 | len(other))
        else:
            path.touch()
    except OSError:
        return


@given(st.lists(st.tuples(CHANGES, st.booleans()), min_size=1, max_size=6), st.data())
@settings(max_examples=60)
def test_undoing_turns_one_after_the_other_walks_back_through_what_was(
    turns: list[tuple[list[tuple[str, str, str]], bool]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as executor:

        async def story() -> None:
            workspace = SessionWorkspace(Path(folder) / "session", executor)
            past: list[tuple[str, Snapshot]] = []
            undone: set[str] = set()
            for number, (changes, undo) in enumerate(turns):
                past.append((f"t{number}", snapshot(workspace.tree)))
                await workspace.checkpoint(f"t{number}")
                for kind, name, other in changes:
                    change(workspace.tree, kind, name, other)
                if undo:
                    for _ in range(data.draw(st.integers(1, len(past)))):
                        turn, before = past.pop()
                        undone.add(turn)
                        assert await workspace.rewind(undone)
                        assert snapshot(workspace.tree) == before
            if past:
                assert await workspace.rewind(undone | {turn for turn, _ in past})
                assert snapshot(workspace.tree) == past[0][1]

        asyncio.run(story())


CHILD = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from agent.sandbox.workspace import SessionWorkspace

async def main(root):
    workspace = SessionWorkspace(Path(root), ThreadPoolExecutor(1))
    print("on", flush=True)
    for number in range(20_000):
        await workspace.checkpoint(f"k{number}")
        (workspace.tree / "a").write_text(str(number))
        await workspace.rewind({f"k{number}"})

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("round", range(6))
async def test_a_kill_at_any_instant_leaves_the_files_of_before_or_after(
    tmp_path: Path, round: int
) -> None:
    root = tmp_path / "session"
    with ThreadPoolExecutor(1) as executor:
        workspace = SessionWorkspace(root, executor)
        for number in range(50):
            (workspace.tree / f"f{number}").write_text(str(number))
        (workspace.tree / "a").write_text("before")
        before = snapshot(workspace.tree)
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, str(root), stdout=PIPE, cwd=Path(__file__).parents[3]
        )
        assert server.stdout
        await server.stdout.readline()
        for _ in range(400 * round):
            await asyncio.sleep(0)
        server.send_signal(signal.SIGKILL)
        await server.wait()
        found = SessionWorkspace(root, executor)
        changed = {name for name, what in snapshot(found.tree).items() if before[name] != what}
        assert changed <= {"a"}
        assert await found.rewind({f"k{number}" for number in range(20_000)})
        assert snapshot(found.tree) == before
