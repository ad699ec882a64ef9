"""What is being written lies beside a tree; what a death left of it goes, and nothing else."""

from concurrent.futures import Executor
from pathlib import Path

from agent.sandbox.drafts import Draft, drafts_beside, sweep_drafts
from agent.sandbox.workspace import SessionWorkspace

OF_ANOTHER = ".0123abcd-0123456789abcdef.part"


def test_a_draft_replaces_a_file_or_disappears(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    with Draft(root) as draft:
        draft.file.write(b"x" * 10_000)
        draft.file.flush()
        assert list(root.iterdir()) == []
        assert drafts_beside(root) >= 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]
    assert drafts_beside(root) == 0


def test_drafts_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    root, mine = tmp_path / "tree", {"file.part", ".hidden", "tree"}
    root.mkdir()
    for name in (OF_ANOTHER, "file.part", ".hidden"):
        (tmp_path / name).write_text("x")
    with Draft(root):
        sweep_drafts(tmp_path)
        left = {path.name for path in tmp_path.iterdir()}
        assert left > mine
        assert OF_ANOTHER not in left
        assert len(left) == len(mine) + 1
    sweep_drafts(tmp_path / "nowhere")


async def test_a_checkpoint_leaves_what_is_being_written_alone(
    tmp_path: Path, executor: Executor
) -> None:
    workspace = SessionWorkspace(tmp_path / "session", executor)
    (workspace.tree.parent / OF_ANOTHER).write_text("x")
    with Draft(workspace.tree) as draft:
        await workspace.checkpoint("t1")
        assert not (workspace.tree.parent / OF_ANOTHER).exists()
        assert len(list(workspace.tree.parent.glob(".*.part"))) == 1
        assert not draft.file.closed
