"""The doctor: what is fine, what costs a feature, what keeps a server from starting."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from server import doctor
from server.doctor import Finding
from server.identity.tokens import Tokens
from server.settings import ServeSettings
from server.store.sqlite import DATABASE, SqliteStore


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 9)])
def test_a_python_that_mooring_runs_on_is_fine(version: tuple[int, ...]) -> None:
    assert doctor.python(version).state == "ok"


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 15, 0)])
def test_another_python_is_refused_with_what_to_install(version: tuple[int, ...]) -> None:
    finding = doctor.python(version)
    assert finding.state == "error"
    assert "3.11 to 3.14" in finding.says


def test_the_sqlite_of_this_python_can_keep_a_log() -> None:
    assert doctor.sqlite().state == "ok"


def test_a_data_folder_is_made_and_written_to_but_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert doctor.data_folder(folder).state == "ok"
    assert list(folder.iterdir()) == []


def test_a_data_folder_that_cannot_be_is_an_error_that_names_the_flag(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    finding = doctor.data_folder(in_the_way)
    assert finding.state == "error"
    assert "--data-dir" in finding.says


async def test_a_store_that_is_not_there_yet_is_not_begun(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert (await doctor.store(folder)).state == "ok"
    assert doctor.other_server(folder) == ()
    assert not folder.exists()


async def test_a_store_that_is_served_is_fine_and_its_server_is_named(tmp_path: Path) -> None:
    serving = SqliteStore.open(tmp_path)
    finding = await doctor.store(tmp_path)
    assert (finding.state, finding.says) == ("ok", str(tmp_path / DATABASE))
    (other,) = doctor.other_server(tmp_path)
    assert other.state == "warning"
    assert f"pid {os.getpid()}" in other.says
    await serving.close()
    assert doctor.other_server(tmp_path) == ()


async def test_a_database_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"garbage " * 1000)
    finding = await doctor.store(tmp_path)
    assert finding.state == "error"
    assert "not a database" in finding.says


async def test_a_store_of_a_newer_mooring_is_an_error(tmp_path: Path) -> None:
    await SqliteStore.open(tmp_path).close()
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    finding = await doctor.store(tmp_path)
    assert finding.state == "error"
    assert "newer Mooring" in finding.says


async def test_a_lock_that_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    (finding,) = doctor.other_server(in_the_way)
    assert finding.state == "warning"
    assert "cannot be used" in finding.says


async def test_a_missing_sandbox_costs_the_shell_and_not_the_server() -> None:
    async def probe() -> str | None:
        return "install bubblewrap"

    finding = await doctor.sandbox(probe)
    assert finding.state == "warning"
    assert "install bubblewrap" in finding.says


async def test_a_sandbox_that_works_is_fine() -> None:
    async def probe() -> str | None:
        return None

    assert (await doctor.sandbox(probe)).state == "ok"


def test_the_demo_model_needs_nothing_and_the_others_say_what_they_need(tmp_path: Path) -> None:
    findings = doctor.models(ServeSettings(data_dir=tmp_path))
    assert Finding("Model", "ok", "demo (the default)") in findings
    assert any("HF_TOKEN" in f.says for f in findings if f.state == "warning")
    assert "error" not in {f.state for f in findings}


def test_a_hub_token_of_the_server_is_no_key_for_people_who_bring_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_host")
    alone = doctor.models(ServeSettings(data_dir=tmp_path))
    together = doctor.models(ServeSettings(data_dir=tmp_path, auth="token"))
    for found, usable in ((alone, True), (together, False)):
        states = {finding.state for finding in found if finding.says.startswith("hf/")}
        assert states == {"ok" if usable else "warning"}
    assert Finding("Model", "ok", "demo (the default)") in together


def test_a_setting_that_does_not_exist_is_found_before_the_server_starts(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.json"
    overlay.write_text('{"limits": {"sesions": 1}}')
    (finding,) = doctor.models(ServeSettings(data_dir=tmp_path, config=overlay))
    assert finding.state == "error"
    assert "limits.sesions" in finding.says


@pytest.mark.parametrize(
    ("states", "code"), [(["ok", "ok"], 0), (["ok", "warning"], 0), (["error", "ok"], 1)]
)
def test_only_an_error_is_one(
    states: list[doctor.State], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.report([Finding("Thing", state, "says") for state in states]) == code
    assert len(capsys.readouterr().out.splitlines()) == len(states)


def weaknesses(tmp_path: Path, overlay: str, **flags: Any) -> list[Finding]:
    file = tmp_path / "mine.json"
    file.write_text(overlay)
    return list(doctor.weaknesses(ServeSettings(data_dir=tmp_path / "d", config=file, **flags)))


def test_weak_settings_are_warnings_and_dangers_are_errors_until_they_are_accepted(
    tmp_path: Path,
) -> None:
    (fine,) = weaknesses(tmp_path, "{}")
    assert fine.state == "ok"
    (debug,) = weaknesses(tmp_path, "{}", log_level="debug")
    assert (debug.state, "--log-level" in debug.says) == ("warning", True)
    (danger,) = weaknesses(tmp_path, '{"allowed_origins": ["*"]}')
    assert (danger.state, danger.says.endswith("(any_origin)")) == ("error", True)
    accepted = '{"allowed_origins": ["*"], "accept_risks": ["any_origin"]}'
    assert [f.state for f in weaknesses(tmp_path, accepted)] == ["warning"]
    assert weaknesses(tmp_path, '{"nonsense": 1}') == [], "which is another finding"


async def test_tokens_are_counted_and_the_long_ones_named(tmp_path: Path) -> None:
    assert await doctor.tokens(tmp_path / "none") == ()
    store = SqliteStore.open(tmp_path)
    tokens = Tokens(store)
    await tokens.create("ada", days=90)
    (few,) = await doctor.tokens(tmp_path)
    assert (few.state, few.says) == ("ok", "1 are valid, 0 of them of operators")
    long = (await tokens.create("eve", "operator", days=3650)).split("_")[1]
    _, named = await doctor.tokens(tmp_path)
    assert (named.state, long in named.says) == ("warning", True)
    for number in range(doctor.MOST_OPERATORS):
        await tokens.create(f"op{number}", "operator", days=1)
    many, _ = await doctor.tokens(tmp_path)
    assert (many.state, "6 of them of operators" in many.says) == ("warning", True)
    await store.close()
    (tmp_path / DATABASE).write_bytes(b"garbage " * 1000)
    assert await doctor.tokens(tmp_path) == (), "which is another finding"
