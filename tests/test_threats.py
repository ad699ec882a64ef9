"""The threat model names tests that are there; an audit without a network is no failure."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

from tests.audit import judged, main

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("## Threats")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| who")
]
NAMED = sorted(set(re.findall(r"`(test_\w+)::(test_\w+)`", PAGE)))


@cache
def named_in(file: str) -> frozenset[str]:
    """Of all test files of that name."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob(f"{file}.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        found |= {node.name for node in nodes if isinstance(node, functions)}
    return frozenset(found)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_every_test_that_the_threat_model_names_is_there(file: str, test: str) -> None:
    assert test in named_in(file), f"docs/security.md names {file}::{test}"


def test_every_threat_says_who_what_and_how_it_is_stopped_and_which_test_shows_it() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        assert len(row) == 4, row
        assert all(row), row
        assert "::" in row[3] or row[3].startswith("none: "), row


def test_a_vulnerable_package_fails_the_audit_and_a_missing_network_does_not() -> None:
    known = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    bad = {"dependencies": [{"name": "a", "version": "1.0", "vulns": [known]}]}
    assert judged(json.dumps(bad), "") == (1, "a 1.0: PYSEC-1, mended in 2.0")
    good = {"dependencies": [{"name": "a", "version": "1.0", "vulns": []}]}
    assert judged(json.dumps(good), "") == (
        0,
        "1 packages were compared, none is known to be vulnerable.",
    )
    skipped = {"name": "b", "skip_reason": "Dependency not found on PyPI"}
    some = {"dependencies": [*good["dependencies"], skipped]}
    assert judged(json.dumps(some), "")[1].endswith("; 1 are not known there.")
    assert "Nothing was compared" in judged(json.dumps({"dependencies": [skipped]}), "")[1]
    code, says = judged("", "Traceback ...\nConnectionError: no route to host\n")
    assert (code, "Nothing was compared" in says, "no route" in says) == (0, True, True)


def test_without_the_tool_nothing_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("/nowhere/pip-audit") == 0
    assert "not installed" in capsys.readouterr().out
