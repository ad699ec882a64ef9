"""A real sandbox on a small allowance, and a workspace whose files its user may write."""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.owner import sandbox_owner
from agent.sandbox.port import SandboxLimits
from tests.agent.sandbox.running import Commands

LIMITS = SandboxLimits(
    memory_mib=256,
    processes=60,
    file_mib=16,
    workspace_mib=32,
    output_mib=1,
    open_files=64,
    temporary_mib=8,
)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture
async def sandbox(executor: ThreadPoolExecutor) -> Bubblewrap:
    sandbox = Bubblewrap(LIMITS, executor, look_every=0.05)
    if why_not := await sandbox.probe():
        pytest.skip(why_not)
    return sandbox


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Below a directory that is closed to everybody but the server."""
    closed = tmp_path / "data"
    closed.mkdir(mode=0o700)
    tree = closed / "tree"
    tree.mkdir()
    if owner := sandbox_owner():
        os.chown(tree, owner.uid, owner.gid)
    return tree


@pytest.fixture
def commands(sandbox: Bubblewrap, tree: Path) -> Commands:
    return Commands(sandbox, tree)


@pytest.fixture
def marker() -> str:
    """A word that only the processes of one test carry on their command line."""
    return f"marker-{secrets.token_hex(8)}"
