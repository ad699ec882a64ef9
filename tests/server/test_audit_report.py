"""The audit log on the command line: every act, and which of them somebody meddled with."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.cli import main
from server.store.audit import AuditRow
from server.store.sqlite import DATABASE, SqliteStore
from tests.server.store.samples import at

Printed = pytest.CaptureFixture[str]


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data folder with three acts."""
    store = SqliteStore.open(tmp_path)
    for number in (1, 2, 3):
        detail = {"token": f"t{number}", "said": "a\x1b[2Jb"}
        await store.audit.add(AuditRow(at(number), "ada", "login", "10.0.0.1", "s_1", detail))
    await store.close()
    return tmp_path


def run(data: Path, *more: str) -> int:
    return main(["audit", "--data-dir", str(data), *more])


def test_each_act_is_a_line_without_control_characters(data: Path, capsys: Printed) -> None:
    assert run(data) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"2  {at(2)}  ada  login  s_1  from 10.0.0.1  said=a?[2Jb  token=t2")


def test_as_json_each_act_is_whole(data: Path, capsys: Printed) -> None:
    assert run(data, "--jsonl") == 0
    first, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["number"], first["detail"]["token"], len(first["seal"])) == (1, "t1", 64)


def test_meddling_is_told_with_the_number_of_the_act(data: Path, capsys: Printed) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("UPDATE audit SET who = 'bob' WHERE number = 2")
        connection.commit()
    assert run(data) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 3
    assert "Not as it was written, or behind a gap: 2." in printed.err


def test_a_folder_without_a_store_is_named(tmp_path: Path, capsys: Printed) -> None:
    assert run(tmp_path / "nothing") == 1
    assert "holds no store" in capsys.readouterr().err
