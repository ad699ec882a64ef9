"""Ways out that a hostile command may try, each with the real bubblewrap, and what stops it."""

import asyncio
import os
import shlex
import socket
from pathlib import Path

from agent.sandbox.owner import sandbox_owner
from tests.agent.sandbox.running import Commands, alive

PYTHON = "python3 -c "
OUT = "ESCAPED"
"""What an attempt prints when it got what it wanted."""
CLONE_NEWUSER, CLONE_NEWNS, PTRACE_ATTACH = 0x10000000, 0x00020000, 16

ATTEMPTS = {
    "read the shadow file": "cat /etc/shadow",
    "read root's home by a way round": "cat /proc/1/root/root/.bashrc",
    "leave by dot dot": "cd /workspace && cat ../../../../../etc/shadow",
    "leave by the root of the first process": "ls /proc/1/root/home",
    "leave by a working directory": "ls /proc/1/cwd/..; cat /proc/1/cwd/../data/secret",
    "read the memory of the machine": "head -c 1 /proc/kcore || head -c 1 /dev/mem",
    "read the kernel's log": "dmesg || head -c 1 /dev/kmsg",
    "change the kernel": "echo 1 > /proc/sys/kernel/core_pattern",
    "press the kernel's keys": "echo b > /proc/sysrq-trigger",
    "make a device of the disk": "mknod disk b 8 0",
    "make a device of memory": "mknod mem c 1 1",
    "own a file as root": "touch mine && chown 0:0 mine",
    "mount something": "mkdir -p m && mount -t tmpfs none m",
    "mount what is there": "mkdir -p m && mount --bind / m",
    "take off a mount": "umount /workspace || umount /proc",
    "make the system writable": "mount -o remount,rw /usr",
    "change the root": "mkdir -p r && chroot r true",
    "enter the first process": "nsenter -t 1 -a true",
    "have a user namespace": "unshare --user --map-root-user true",
    "have a mount namespace": "unshare --mount true",
    "change the clock": "date -s 2020-01-01",
    "change the host's name": "hostname other || echo x > /proc/sys/kernel/hostname",
    "run with more priority": "nice -n -20 true 2>&1 | grep -q . && false",
    "raise its own limits": "ulimit -Hn 1000000",
    "write to the system": "cp /bin/true /usr/bin/true2",
    "replace the shell": "rm -f /bin/bash || rm -f /usr/bin/bash",
    "ask a name server": "getent hosts example.com",
    "send a packet": PYTHON
    + '\'import socket; socket.socket(2, 2).sendto(b"x", ("192.0.2.1", 53))\'',
    "send a packet over IPv6": PYTHON
    + '\'import socket; socket.socket(10, 2).sendto(b"x", ("2001:db8::1", 53))\'',
    "have a raw socket": PYTHON + "'import socket; socket.socket(2, 3, 1)'",
    "read all packets": PYTHON + "'import socket; socket.socket(17, 3)'",
    "add a network": "ip link add d0 type dummy || ifconfig lo 10.0.0.1",
}


REFUSED = {
    f"libc.unshare({CLONE_NEWUSER})": "a user namespace",
    f"libc.unshare({CLONE_NEWNS})": "a mount namespace",
    "libc.setuid(0)": "root's number",
    "libc.setgroups(0, None)": "other groups",
    "libc.swapoff(b'/dev/sda')": "swap",
    "libc.reboot(0x1234567)": "a restart",
    "libc.setns(0, 0)": "another namespace",
    "libc.acct(b'/workspace/acct')": "accounts of all processes",
    "libc.mount(b'none', b'/workspace', b'tmpfs', 0, None)": "a mount",
    "libc.pivot_root(b'/tmp', b'/tmp') if hasattr(libc, 'pivot_root') else -1": "another root",
}


async def test_no_command_gets_out(commands: Commands) -> None:
    (commands.tree.parent / "secret").write_text("hidden treasure")
    tried = [
        f"timeout 10 bash -c {shlex.quote(attempt)} </dev/null && echo {OUT} {shlex.quote(name)}"
        for name, attempt in ATTEMPTS.items()
    ]
    await commands("\n".join((*tried, "echo all tried")), timeout=600)
    assert "all tried" in commands.output
    assert [line for line in commands.output.splitlines() if OUT in line] == []
    assert "treasure" not in commands.output


async def test_calls_of_the_kernel_that_would_help_are_refused(commands: Commands) -> None:
    tried = "; ".join(f'print({call}, "{what}")' for call, what in REFUSED.items())
    script = f"import ctypes; libc = ctypes.CDLL(None); {tried}"
    await commands(f"{PYTHON}{shlex.quote(script)}")
    assert commands.output.splitlines() == [f"-1 {what}" for what in REFUSED.values()]


async def test_the_first_process_of_the_jail_is_in_the_same_jail(commands: Commands) -> None:
    """A command may trace it, as any process of its own user: that gains nothing."""
    look = "cd /proc/{}; readlink ns/mnt ns/user ns/net; grep -E 'Eff|NoNew' status; "
    await commands(look.replace("{}", "1") + look.replace("{}", "self"))
    lines = commands.output.splitlines()
    assert lines[:5] == lines[5:]
    assert lines[3:5] == ["CapEff:\t0000000000000000", "NoNewPrivs:\t1"]


async def test_a_process_of_the_machine_cannot_be_traced(commands: Commands) -> None:
    trace = f"import ctypes; print(ctypes.CDLL(None).ptrace({PTRACE_ATTACH}, {os.getpid()}, 0, 0))"
    await commands(f'{PYTHON}"{trace}"')
    assert commands.output == "-1\n"


async def test_a_setuid_file_gives_nothing(commands: Commands) -> None:
    await commands("cp /usr/bin/id own && chmod 4755 own && ./own -u; su -c id; umount /tmp")
    assert commands.output.splitlines()[0] == "1000"
    assert "uid=0" not in commands.output


async def test_a_setuid_file_that_it_leaves_behind_is_not_roots(commands: Commands) -> None:
    await commands("cp /usr/bin/id own && chmod 6777 own")
    owner, own = sandbox_owner(), (commands.tree / "own").stat()
    assert own.st_uid == (owner.uid if owner else os.geteuid())
    assert own.st_uid != 0 or os.geteuid() != 0


async def test_a_file_outside_cannot_be_linked_into_the_workspace(commands: Commands) -> None:
    outside = commands.tree.parent / "secret"
    outside.write_text("hidden treasure")
    outside.chmod(0o666)
    await commands(f"ln {outside} hard; ln -L /proc/1/root{outside} hard; ln /etc/passwd hard")
    assert not (commands.tree / "hard").exists()
    assert outside.stat().st_nlink == 1


async def test_a_link_to_the_outside_leads_nowhere_inside(commands: Commands) -> None:
    outside = commands.tree.parent / "secret"
    outside.write_text("hidden treasure")
    await commands(f"ln -s {outside} soft; cat soft; echo overwritten > soft")
    assert "treasure" not in commands.output
    assert outside.read_text() == "hidden treasure"


async def test_what_the_server_keeps_beside_the_files_cannot_be_changed(commands: Commands) -> None:
    """Checkpoints lie beside the tree: an undo must not bring back what a command wrote there."""
    kept = commands.tree.parent / "checkpoints"
    kept.mkdir(mode=0o777)
    (kept / "1").write_text("as it was")
    (kept / "1").chmod(0o666)
    for way in (f"{kept}/1", "../checkpoints/1", "/workspace/../checkpoints/1"):
        await commands(f"mkdir -p $(dirname {way}); echo forged > {way}")
    assert (kept / "1").read_text() == "as it was"


async def test_neither_a_named_nor_an_abstract_socket_of_the_server_is_there(
    commands: Commands, marker: str
) -> None:
    path = commands.tree.parent / "own.sock"
    with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
        named.bind(str(path))
        path.chmod(0o777)
        named.listen()
        abstract.bind(f"\0{marker}")
        abstract.listen()
        for address in (str(path), f"\\0{marker}"):
            connect = f"import socket; socket.socket(1).connect('{address}'); print('{OUT}')"
            await commands(f'{PYTHON}"{connect}"')
        await commands("cat /proc/net/unix")
    assert OUT not in commands.output
    assert marker not in commands.output


async def test_a_socket_left_in_the_workspace_is_not_answered_by_the_machine(
    commands: Commands,
) -> None:
    """What it listens on lives in its own network, and ends with it."""
    with socket.socket() as kept, socket.socket() as client:
        kept.bind(("127.0.0.1", 0))  # by nobody else on the machine, and not listened on here
        address = kept.getsockname()
        listen = f"import socket; s = socket.socket(); s.bind({address}); s.listen(); "
        script = listen + "import sys; print('listens', flush=True); sys.stdin.read()"
        await commands(f'{PYTHON}"{script}"')
        assert commands.output == "listens\n"
        assert client.connect_ex(address) != 0


async def test_processes_of_the_machine_are_neither_seen_nor_signalled(
    commands: Commands, marker: str
) -> None:
    other = await asyncio.create_subprocess_exec("sleep", "600", env={"M": marker})
    try:
        await commands(f"kill -9 {other.pid} {os.getpid()} {os.getppid()}; cat /proc/*/environ")
        await commands("kill -9 -1")
        assert Path(f"/proc/{other.pid}").exists()
        assert other.returncode is None
        assert marker not in commands.output
    finally:
        other.kill()
        await other.wait()


async def test_what_it_leaves_running_ends_with_it(commands: Commands, marker: str) -> None:
    daemon = f"import os, time; os.fork() and os._exit(0); os.setsid(); time.sleep(600); '{marker}'"
    await commands(f'setsid {PYTHON}"{daemon}" & disown; sleep 0.1')
    assert alive(marker) == []


async def test_two_sandboxes_see_nothing_of_each_other(commands: Commands, tmp_path: Path) -> None:
    other = tmp_path / "data" / "other"
    other.mkdir()
    (other / "notes").write_text("hidden treasure")
    if owner := sandbox_owner():
        os.chown(other, owner.uid, owner.gid)
        os.chown(other / "notes", owner.uid, owner.gid)
    await commands(f"cat {other}/notes ../other/notes /workspace/../other/notes")
    await commands("find / -name notes -not -path '/proc/*' -exec cat {} +")
    assert "treasure" not in commands.output
