"""A workspace without a sandbox, and what a call shows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.sandbox.workspace import SessionWorkspace
from tests.agent.tools.calls import Calls


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture
def workspace(tmp_path: Path, executor: ThreadPoolExecutor) -> SessionWorkspace:
    return SessionWorkspace(tmp_path / "session", executor)


@pytest.fixture
def calls(workspace: SessionWorkspace) -> Calls:
    return Calls(workspace)
