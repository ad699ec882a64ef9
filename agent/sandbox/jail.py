"""What a command sees of the machine, written as the command line that starts it in bwrap."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from agent.sandbox.port import SandboxLimits

HOME = "/workspace"
USER = 1000
"""The user's number as seen from inside; outside it is the server's, or the sandbox owner's."""
MIB = 1024 * 1024

READY = b"\x06ready\n"
"""What the launcher prints when everything is set up; it then waits for a line on stdin."""

ETC = {
    "/etc/passwd": f"mooring:x:{USER}:{USER}::{HOME}:/bin/bash\n",
    "/etc/group": f"mooring:x:{USER}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}
"""Files made up for the sandbox: the machine's own say who and what else is there."""

_BORROWED_ETC = (
    "ld.so.cache ld.so.conf ld.so.conf.d alternatives localtime mime.types magic fonts"
    " ssl/openssl.cnf ssl/certs python3 perl"
)
_ENVIRONMENT = {
    "HOME": HOME,
    "USER": "mooring",
    "LOGNAME": "mooring",
    "SHELL": "/bin/bash",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "PYTHONUNBUFFERED": "1",
}
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

# The server answers only once it knows every process to kill, so a server that dies before that
# leaves nothing behind: `read` meets the end of the pipe.
_LAUNCHER = r"""
ulimit -c 0 -n "$1" -u "$2" -f "$3" -d "$4" -v "$5" || exit 125
printf '\006ready\n'; read -r _ || exit 125
exec </dev/null; shift 5; exec nice -n 5 "$@"
"""

# bwrap is started inside a process namespace of its own, which ends with the server whatever bwrap
# is doing: its own --die-with-parent can kill the parent at an instant when its child does not
# follow. And it is started inside the workspace, which it mounts where it stands: the way there is
# closed to the user that commands run as when the server is root. `env -i` takes from it the PWD
# that the shell has just added: everybody inside may read the environment of the first process.
_MOUNTED = "/mnt"
_MOUNT = f'exec 2>&1; mount --no-canonicalize --rbind . {_MOUNTED} && exec env -i "$@"'
_GUARD = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"),
    *("--pid", "--fork", "--kill-child"),
    *("/bin/sh", "-c", _MOUNT, "guard"),
)


class Bwrap(Struct, frozen=True):
    """The bwrap that is installed. Older ones do not know `--disable-userns` and `--size`."""

    path: str
    options: str

    def knows(self, option: str) -> bool:
        return option in self.options


def command_line(
    bwrap: Bwrap, limits: SandboxLimits, command: Sequence[str], etc: dict[str, int]
) -> list[str]:
    """What to start, in the workspace; `etc` says which descriptor holds which made-up file.

    The process that is started has one child, whose only child is the init of the sandbox.
    """
    return [
        *_GUARD,
        *(bwrap.path, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"),
        *(("--disable-userns",) if bwrap.knows("--disable-userns") else ()),
        *("--uid", str(USER), "--gid", str(USER), "--hostname", "mooring"),
        *("--proc", "/proc", "--dev", "/dev"),
        *_system(),
        *(word for path, fd in etc.items() for word in ("--file", str(fd), path)),
        *_memory_mount(bwrap, limits, "/dev/shm"),
        *_memory_mount(bwrap, limits, "/tmp"),
        *("--bind", _MOUNTED, HOME, "--chdir", HOME),
        *("--remount-ro", "/", "--remount-ro", "/dev"),
        *_environment(),
        *("--", "/bin/bash", "-c", _LAUNCHER, "launcher", *_rlimits(limits), *command),
    ]


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for top in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if Path(top).is_symlink():
            yield from ("--symlink", str(Path(top).readlink()), top)
        else:
            yield from ("--ro-bind-try", top, top)
    for name in _BORROWED_ETC.split():
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    if prefix := own_python():
        yield from ("--ro-bind-try", prefix, prefix)


def own_python() -> str | None:
    """Where the server's Python is installed, if the system has none and others may go there."""
    if Path("/usr/bin/python3").exists():
        return None
    prefix = Path(sys.base_prefix)
    open_to_all = all(place.stat().st_mode & 0o001 for place in (prefix, *prefix.parents))
    return str(prefix) if open_to_all or os.geteuid() != 0 else None


def _memory_mount(bwrap: Bwrap, limits: SandboxLimits, path: str) -> Iterator[str]:
    if bwrap.knows("--size"):
        yield from ("--perms", "1777", "--size", str(limits.temporary_mib * MIB))
    yield from ("--tmpfs", path)


def _environment() -> Iterator[str]:
    prefix = own_python()
    path = f"{prefix}/bin:{_PATH}" if prefix else _PATH
    for name, value in (_ENVIRONMENT | {"PATH": path}).items():
        yield from ("--setenv", name, value)


def _rlimits(limits: SandboxLimits) -> tuple[str, ...]:
    """Arguments of the launcher, in the units of `ulimit`.

    Address space is not memory: threads and runtimes reserve much more than they use, so it gets
    four times what data gets, and what is really used is watched from outside.
    """
    kib = limits.memory_mib * 1024
    return (
        str(limits.open_files),
        str(limits.processes + _other_processes()),
        str(limits.file_mib * 1024),
        str(kib),
        str(4 * kib),
    )


def _other_processes() -> int:
    """Before Linux 5.14 the limit counts all processes of the user, not only the namespace's."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    old = release is not None and (int(release[1]), int(release[2])) < (5, 14)
    return 4096 if old else 0
