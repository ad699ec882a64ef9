"""The command: flags over environment over defaults, words on the right stream, exit codes."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from agent.errors import ConfigProblem
from agent.protocol import SessionCreated, encode_event
from server import flags
from server.announce import listening
from server.cli import main
from server.identity.tokens import Tokens
from server.places import shipped, user_data_folder
from server.settings import ServeSettings
from server.store.port import Indexed, NewSession
from server.store.sqlite import SqliteStore

AT = "2026-11-20T12:00:00.000Z"
ROOT = Path(__file__).parents[2]
EMPTY = Indexed("", "demo", "idle", None, 0, False, 0, 0, 0, None, 0, 0)


def settings(*arguments: str, **environment: str) -> ServeSettings:
    return flags.settings(flags.read(arguments), environment)


def refused(*arguments: str, **environment: str) -> str:
    with pytest.raises(ConfigProblem) as problem:
        settings(*arguments, **environment)
    return problem.value.message


def event(seq: int, body: object) -> bytes:
    placed = {"seq": seq, "at": AT}
    return encode_event(placed | msgspec.to_builtins(body))


async def kept_session(folder: Path) -> None:
    """A store with session `s1` of one event."""
    store = SqliteStore.open(folder)
    body = event(1, SessionCreated(model="demo", title="Tides"))
    await store.create(NewSession("s1", "ada", AT, body, EMPTY, at_most=1))
    await store.close()


# ---- flags -------------------------------------------------------------------------------------


def test_without_a_word_it_serves_this_machine_only() -> None:
    found = settings()
    assert (found.host, found.port, found.auth) == ("127.0.0.1", 8765, "auto")
    assert found.data_dir.name == "mooring"


def test_flags_may_stand_without_the_word_serve() -> None:
    assert settings("--port", "0") == settings("serve", "--port", "0")


def test_a_flag_beats_the_environment_and_an_empty_value_is_absent() -> None:
    assert settings(MOORING_PORT="9000").port == 9000
    assert settings("--port", "1", MOORING_PORT="9000").port == 1
    assert settings("--host", "", MOORING_PORT="").port == 8765


def test_every_setting_is_a_flag_and_a_variable() -> None:
    values = {
        "data_dir": Path("/d"),
        "host": "::1",
        "port": 1,
        "config": Path("/c"),
        "model": "openai/m",
        "api_base": "http://h/v1",
        "auth": "token",
        "log_format": "json",
        "log_level": "debug",
    }
    flagged = [word for name, value in values.items() for word in ("--" + name, str(value))]
    dashed = [word.replace("_", "-") if word.startswith("--") else word for word in flagged]
    environment = {f"MOORING_{name.upper()}": str(value) for name, value in values.items()}
    switched = settings(*dashed, "--no-browser", "--insecure-no-auth")
    assert switched == settings(
        **environment, MOORING_NO_BROWSER="1", MOORING_INSECURE_NO_AUTH="true"
    )
    assert msgspec.structs.asdict(switched) == values | {
        "insecure_no_auth": True,
        "no_browser": True,
    }


def test_a_home_folder_is_spelt_with_a_tilde() -> None:
    assert settings(MOORING_DATA_DIR="~/boats").data_dir == Path.home() / "boats"


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("MOORING_PORT", "70000", "0 to 65535"),
        ("MOORING_PORT", "http", "0 to 65535"),
        ("MOORING_AUTH", "none", "auto, dev, token, oauth"),
        ("MOORING_LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("MOORING_NO_BROWSER", "perhaps", "do not open the page"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    message = refused(**{variable: value})
    assert variable in message
    assert value in message
    assert allowed in message


def test_a_wrong_flag_ends_with_two_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "http"]) == 2
    with pytest.raises(SystemExit, match="2"):
        main(["serve", "--prot", "1"])
    assert "Traceback" not in capsys.readouterr().err


# ---- verbs -------------------------------------------------------------------------------------


def test_a_new_token_alone_is_on_stdout_and_is_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--user", "ada", "--data-dir", str(tmp_path)]) == 0
    (secret,) = capsys.readouterr().out.splitlines()
    assert main(["token", "list", "--data-dir", str(tmp_path)]) == 0
    (row,) = capsys.readouterr().out.splitlines()
    assert row.split()[:3] == [secret.split("_")[1], "ada", "user"]


async def test_a_token_is_made_beside_a_running_server_and_known_to_it(tmp_path: Path) -> None:
    running = SqliteStore.open(tmp_path)
    try:
        made = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "token", "create", "--user", "ada"),
            env={"MOORING_DATA_DIR": str(tmp_path)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        printed, _ = await made.communicate()
        assert await Tokens(running).verify(printed.decode().rstrip("\n")) is not None
    finally:
        await running.close()


def test_a_revoked_token_is_gone_and_cannot_be_revoked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--data-dir", str(tmp_path)]
    main(["token", "create", "--user", "ada", *folder])
    name = capsys.readouterr().out.split("_")[1]
    assert main(["token", "revoke", name, *folder]) == 0
    assert main(["token", "revoke", name, *folder]) == 1
    assert f"There is no token {name}" in capsys.readouterr().err


def test_an_exported_session_is_its_log(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    asyncio.run(kept_session(tmp_path))
    assert main(["export", "s1", "--format", "jsonl", "--data-dir", str(tmp_path)]) == 0
    (line,) = capfdbinary.readouterr().out.splitlines()
    assert msgspec.json.decode(line)["title"] == "Tides"
    assert main(["export", "s1", "--data-dir", str(tmp_path)]) == 0
    assert capfdbinary.readouterr().out.startswith(b"# Tides\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["export", "nope"], 1, "There is no session nope."),
        (["token", "create", "--user", "a b"], 2, "cannot be a user"),
        (["token", "create", "--user", "ada", "--days", "0"], 2, "1 to 3650 days"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr(
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*arguments, "--data-dir", str(tmp_path)]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err
    assert "Traceback" not in printed.err


def test_a_data_folder_that_is_a_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert main(["token", "list", "--data-dir", str(in_the_way)]) != 0
    assert str(in_the_way) in capsys.readouterr().err


def test_a_reader_who_has_enough_is_no_error(tmp_path: Path) -> None:
    ended = subprocess.run(
        f"{sys.executable} -m server token create --user ada | true",
        shell=True,
        env={"MOORING_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mooring ")


# ---- serve -------------------------------------------------------------------------------------


async def started(folder: Path, *arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """A server on a free port, and the line it printed when it listened."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "--port", "0", *arguments),
        env={"MOORING_DATA_DIR": str(folder)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stdout is not None
    return server, (await server.stdout.readline()).decode()


async def test_ctrl_c_ends_a_server_quietly_and_a_second_one_is_told_who_is_first(
    tmp_path: Path,
) -> None:
    first, line = await started(tmp_path)
    second, nothing = await started(tmp_path)
    _, refusal = await second.communicate()
    first.send_signal(signal.SIGINT)
    rest, log = await first.communicate()
    assert re.fullmatch(r"Mooring listens on http://127\.0\.0\.1:\d+\n", line)
    assert (nothing, second.returncode) == ("", 1)
    assert f"pid {first.pid}" in refusal.decode()
    assert (first.returncode, rest) == (0, b"")
    assert b"Traceback" not in log + refusal


async def test_a_port_that_is_taken_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server, line = await started(tmp_path, "--port", port)
        _, refusal = await server.communicate()
    assert (line, server.returncode) == ("", 2)
    assert b"Choose another --host or --port" in refusal


async def test_other_interfaces_are_refused_without_authentication(tmp_path: Path) -> None:
    server, line = await started(tmp_path, "--host", "0.0.0.0")
    _, refusal = await server.communicate()
    assert (line, server.returncode) == ("", 2)
    assert b"mooring token create" in refusal


# ---- places and words --------------------------------------------------------------------------


def test_scripts_read_the_address_and_no_browser_opens_for_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened: list[str] = []
    listening("http://127.0.0.1:8765", no_browser=False, open_page=opened.append)
    assert capsys.readouterr().out == "Mooring listens on http://127.0.0.1:8765\n"
    assert opened == []


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/mooring")),
        ("linux", {"XDG_DATA_HOME": "relative"}, Path.home() / ".local/share/mooring"),
        ("linux", {}, Path.home() / ".local/share/mooring"),
        ("darwin", {}, Path.home() / "Library/Application Support/mooring"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/mooring")),
        ("win32", {}, Path.home() / "AppData/Local/mooring"),
    ],
)
def test_data_is_kept_where_the_platform_keeps_it(
    platform: str, environment: dict[str, str], folder: Path
) -> None:
    assert user_data_folder(platform, environment) == folder


def test_shipped_folders_are_found_in_a_checkout_and_in_an_installation(tmp_path: Path) -> None:
    rooms = tmp_path / "server"
    rooms.mkdir()
    assert shipped("configs", rooms) == tmp_path / "configs"
    assert shipped("static", rooms) == tmp_path / "static" / "dist"
    (rooms / "static").mkdir()
    assert shipped("static", rooms) == rooms / "static"
