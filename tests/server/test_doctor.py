"""The doctor: what is fine, what costs a feature, what keeps a server from starting."""

from pathlib import Path

import pytest

from server import doctor
from server.doctor import Finding
from server.settings import ServeSettings


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
