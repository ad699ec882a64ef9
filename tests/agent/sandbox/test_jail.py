"""What a command can see and reach: its workspace, and nothing of the server."""

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.jail import Bwrap, command_line
from agent.sandbox.namespace import CannotStart
from agent.sandbox.owner import sandbox_owner
from tests.agent.sandbox.conftest import LIMITS
from tests.agent.sandbox.running import Commands


async def test_a_command_works_in_its_workspace_and_leaves_its_files_there(
    commands: Commands,
) -> None:
    ended = await commands("pwd; echo $HOME; echo made here > file")
    assert (ended.code, ended.cut) == (0, None)
    assert commands.output == "/workspace\n/workspace\n"
    assert (commands.tree / "file").read_text() == "made here\n"


async def test_the_exit_status_is_the_commands(commands: Commands) -> None:
    assert (await commands("exit 42")).code == 42


async def test_python_runs_inside(commands: Commands) -> None:
    await commands("python3 -c 'import json, ssl; print(json.dumps([6 * 7]))'")
    assert commands.output == "[42]\n"


async def test_standard_input_is_empty(commands: Commands) -> None:
    ended = await commands("cat; read line; echo over")
    assert (ended.code, commands.output) == (0, "over\n")


async def test_only_the_standard_descriptors_are_open(commands: Commands) -> None:
    await commands("ls /proc/self/fd | tr '\\n' ' '")
    assert commands.output == "0 1 2 3 "


@pytest.mark.parametrize("place", ["tmp", "dev/shm"])
async def test_memory_mounts_are_private_and_end_with_the_command(
    commands: Commands, place: str
) -> None:
    await commands(f"echo secret > /{place}/left-by-a-sandbox")
    assert not (Path("/") / place / "left-by-a-sandbox").exists()
    assert (await commands(f"ls /{place}/left-by-a-sandbox")).code != 0


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/root", "/home", "/var", "/sys", "/run", __file__]
)
async def test_the_servers_files_are_not_there(commands: Commands, path: str) -> None:
    assert (await commands(f"ls {path}")).code != 0


async def test_what_lies_beside_the_workspace_is_not_there(commands: Commands) -> None:
    (commands.tree.parent / "secret").write_text("hidden treasure")
    (commands.tree / "link").symlink_to(commands.tree.parent / "secret")
    await commands(f"cat link ../secret {commands.tree.parent}/secret /proc/1/root/../secret")
    assert "treasure" not in commands.output


@pytest.mark.parametrize("place", ["/", "/etc", "/usr", "/usr/bin", "/dev", "/bin", "/proc"])
async def test_nothing_but_the_workspace_and_memory_can_be_written(
    commands: Commands, place: str
) -> None:
    assert (await commands(f"echo x > {place}/written")).code != 0


async def test_the_first_process_has_no_environment(commands: Commands) -> None:
    await commands("wc -c < /proc/1/environ; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline")
    assert commands.output.startswith("0\n")
    assert str(commands.tree.parent) not in commands.output


async def test_the_servers_environment_is_nowhere(sandbox: Bubblewrap, commands: Commands) -> None:
    os.environ["SECRET_OF_THE_SERVER"] = "hidden treasure"
    try:
        await commands("env; cat /proc/*/environ /proc/self/mountinfo | tr '\\0' '\\n'")
    finally:
        del os.environ["SECRET_OF_THE_SERVER"]
    assert "HOME=/workspace" in commands.output
    assert "treasure" not in commands.output


async def test_there_is_no_network_not_even_to_the_server_itself(commands: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = await commands(f"exec 3<>/dev/tcp/127.0.0.1/{port}")
    assert ended.code != 0
    await commands("cat /proc/net/dev")
    assert [line.split(":")[0].strip() for line in commands.output.splitlines() if ":" in line][
        -1
    ] == "lo"


async def test_abstract_sockets_of_the_server_cannot_be_reached(
    commands: Commands, marker: str
) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{marker}")
        server.listen()
        connect = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{marker}')"
        assert (await commands(f'python3 -c "{connect}"')).code != 0


async def test_the_servers_processes_can_be_neither_seen_nor_signalled(commands: Commands) -> None:
    await commands(f"kill -9 {os.getpid()} || kill -9 -1; ls /proc | grep -c '^[0-9]'")
    assert "No such process" in commands.output
    assert int(commands.output.split()[-1]) < 10


async def test_a_command_is_nobody_special_and_cannot_become_root(commands: Commands) -> None:
    await commands("id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status")
    uid, capabilities, no_new_privileges = commands.output.splitlines()
    assert uid == "1000"
    assert int(capabilities.split()[1], 16) == 0
    assert no_new_privileges.split()[1] == "1"


async def test_no_namespaces_can_be_made_inside(commands: Commands) -> None:
    assert (await commands("unshare --user --map-root-user true")).code != 0


async def test_there_is_no_terminal_to_type_into(commands: Commands) -> None:
    assert (await commands("echo x > /dev/tty")).code != 0


async def test_a_full_disk_of_root_is_not_reached_by_its_user(commands: Commands) -> None:
    """Files made in the sandbox belong to the user it runs as, not to root."""
    await commands("touch made")
    owner = sandbox_owner()
    assert (commands.tree / "made").stat().st_uid == (owner.uid if owner else os.geteuid())


async def test_two_commands_run_side_by_side(sandbox: Bubblewrap, tree: Path) -> None:
    one, two = Commands(sandbox, tree), Commands(sandbox, tree)
    await asyncio.gather(
        one("mkfifo a b; echo 1 > a; cat b"), two("until cat a; do :; done; echo 2 > b")
    )
    assert (one.output[-2:], two.output[-2:]) == ("2\n", "1\n")


async def test_a_missing_bubblewrap_says_what_to_install(
    executor: ThreadPoolExecutor, tree: Path
) -> None:
    missing = Bubblewrap(LIMITS, executor, program="/nowhere/bwrap")
    assert "apt-get install bubblewrap" in (await missing.probe() or "")
    with pytest.raises(CannotStart, match="apt-get install"):
        await Commands(missing, tree)("true")


async def test_a_bubblewrap_that_is_not_allowed_to_says_so_and_what_to_allow(
    executor: ThreadPoolExecutor,
) -> None:
    with TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        refusing = Path(open_to_all) / "bwrap"
        refusing.write_text("#!/bin/sh\necho No permissions to create new namespace >&2; exit 1\n")
        refusing.chmod(0o755)
        why_not = await Bubblewrap(LIMITS, executor, program=str(refusing)).probe()
    assert "No permissions to create new namespace" in (why_not or "")
    assert "unprivileged_userns_clone" in (why_not or "")


async def test_a_workspace_that_is_gone_is_a_clear_error(
    sandbox: Bubblewrap, tmp_path: Path
) -> None:
    with pytest.raises(CannotStart, match="No such file"):
        await Commands(sandbox, tmp_path / "gone")("true")


def test_an_old_bubblewrap_is_not_given_what_it_does_not_know() -> None:
    lines = [
        command_line(Bwrap("bwrap", options), LIMITS, ("true",), {})
        for options in ("", "--size --disable-userns")
    ]
    assert [("--size" in line, "--disable-userns" in line) for line in lines] == [
        (False, False),
        (True, True),
    ]
