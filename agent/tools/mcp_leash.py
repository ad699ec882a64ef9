"""A program of its own: runs a server of tools, and ends with it all that it has started.

`python -I -S mcp_leash.py PARENT COMMAND...`, as the leader of a process group. When the parent is
gone, however it went, the kernel says so, and the whole group is killed.
"""

import ctypes
import os
import signal
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1


def die_with_parent(by: signal.Signals, parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the kernel was asked to tell
        end_all()


def end_all() -> NoReturn:
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


def run(command: list[str], parent: int) -> NoReturn:
    """In the child: becomes the server."""
    die_with_parent(signal.SIGKILL, parent)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)


def main(parent: int, command: list[str]) -> NoReturn:
    signal.signal(signal.SIGUSR1, lambda *_: end_all())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server has it too, and may say goodbye
    die_with_parent(signal.SIGUSR1, parent)
    me = os.getpid()
    if (server := os.fork()) == 0:
        run(command, me)
    for pipe in (0, 1, 2):  # they are the server's: their end must be seen when it ends
        os.close(pipe)
    os.waitpid(server, 0)
    end_all()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
