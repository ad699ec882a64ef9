"""One running namespace: a command and every process that comes of it, until the last is gone."""

import asyncio
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from agent.errors import Problem
from agent.sandbox.jail import ETC, READY
from agent.sandbox.owner import Owner
from agent.sandbox.patience import to_the_end

LAUNCH_SECONDS = 20.0
END_SECONDS = 10.0
log = logging.getLogger(__name__)

CommandLine = Callable[[int, dict[str, int]], Sequence[str]]
"""(descriptor for bwrap's info, descriptors of the made-up files by path) -> what to start."""


FORBIDDEN = (
    "bubblewrap cannot make a sandbox here: {said}. If user namespaces are forbidden, allow them:"
    " sysctl kernel.unprivileged_userns_clone=1, or on Ubuntu"
    " kernel.apparmor_restrict_unprivileged_userns=0, or for a container"
    " --security-opt seccomp=unconfined."
)


class CannotStart(Problem):
    """The sandbox did not get as far as the command; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__("sandbox_unavailable", message)


class _Info(Struct):
    init: int = msgspec.field(name="child-pid")


class Namespace:
    """Nothing of the command runs before `go`, and nothing lives on after `end`.

    `output` is the read end of its stdout and stderr. `init` is the process that all others come
    from: when it dies, the kernel ends them first, whatever they did to get away.
    """

    def __init__(self, command_line: CommandLine, workspace: Path, owner: Owner | None) -> None:
        """Start bwrap from this very thread: it dies with the thread that started it."""
        with ExitStack() as ours, ExitStack() as theirs:
            stdin, go = _pipe(theirs, theirs)
            self.output, output = _pipe(ours, theirs)
            # Not a pipe: bwrap would die writing to one that a killed server no longer reads, and
            # leave a child behind that waits for it.
            self._info = info = _file(ours)
            etc = {path: _file(theirs, content) for path, content in ETC.items()}
            self._outer = subprocess.Popen(
                command_line(info, etc),
                stdin=stdin,
                stdout=output,
                stderr=output,
                cwd=workspace,
                env={},
                pass_fds=(info, *etc.values()),
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
            )
            self._bwrap = _Process(ours, self._outer.pid)
            self._go = os.fdopen(os.dup(go), "wb", buffering=0)
            self._descriptors = ours.pop_all()
        self.init = 0
        self._init: _Process | None = None

    async def ready(self) -> None:
        """Wait until everything is set up and the kernel's name for `init` is held."""
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                await self._launched()
        except TimeoutError:
            raise CannotStart(f"bwrap was not ready after {LAUNCH_SECONDS:.0f} s") from None
        self._name_init()

    async def _launched(self) -> None:
        said = b""
        while not said.endswith(READY):
            await readable(self.output)
            if not (piece := os.read(self.output, 4096)):
                raise CannotStart(FORBIDDEN.format(said=said.decode(errors="replace").strip()))
            said += piece

    def _name_init(self) -> None:
        if info := os.pread(self._info, 4096, 0):
            with suppress(ProcessLookupError, msgspec.DecodeError):
                self.init = msgspec.json.decode(info, type=_Info).init
                self._init = _Process(self._descriptors, self.init)

    def go(self) -> None:
        """Let the command begin. The line cannot block: it is the first in its pipe."""
        with suppress(BrokenPipeError):
            self._go.write(b"go\n")

    async def exited(self) -> None:
        """Wait for the command itself; what it left in the background may still run."""
        await self._bwrap.gone()

    async def end(self) -> int:
        """Kill what is left, wait until the last process is gone, return the exit status."""
        try:
            async with asyncio.timeout(END_SECONDS):
                if self._init is None:
                    await self._end_launch()
                else:
                    self._init.kill()
                    await self._init.gone()
                await self._bwrap.gone()
        except TimeoutError:
            log.error("A sandbox does not end (process %d)", self._outer.pid)
            self._outer.kill()
            if self._init is None:
                self._name_init()
            if self._init is not None:
                self._init.kill()
        return self._buried()

    async def _end_launch(self) -> None:
        """End what has no init to kill yet: the launcher leaves when nobody can say go.

        bwrap is not killed at this point, for its child would wait for it for ever.
        """
        self._go.close()
        while True:
            await readable(self.output)
            if not os.read(self.output, 4096):
                return

    def _buried(self) -> int:
        # Where the server is the first process of a container, orphans are its to bury.
        if self._init is not None:
            with suppress(ChildProcessError):
                os.waitpid(self.init, os.WNOHANG)
        status = self._outer.poll()
        return -signal.SIGKILL if status is None else status

    def close(self) -> None:
        self._go.close()
        self._descriptors.close()


class _Process:
    """A process held by a descriptor, so that its number can never mean another one."""

    def __init__(self, stack: ExitStack, pid: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._fd = _kept(stack, os.pidfd_open(pid))
        self._gone = asyncio.Event()
        self._loop.add_reader(self._fd, self._end)
        stack.callback(self._loop.remove_reader, self._fd)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)

    async def gone(self) -> None:
        await self._gone.wait()

    def _end(self) -> None:
        self._loop.remove_reader(self._fd)
        self._gone.set()


@asynccontextmanager
async def started(
    command_line: CommandLine, workspace: Path, owner: Owner | None
) -> AsyncIterator[Namespace]:
    """A namespace that is ready to go, and that is ended and empty when the block is left."""
    try:
        space = Namespace(command_line, workspace, owner)
    except OSError as failure:
        raise CannotStart(f"{failure.strerror}: {failure.filename}") from None
    try:
        await space.ready()
        yield space
    finally:
        await to_the_end(space.end())
        space.close()


async def readable(fd: int) -> None:
    """Wait until there are bytes to read, or their end. One may wait for an `fd` at a time."""
    loop = asyncio.get_running_loop()
    news: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not news.done():
            news.set_result(None)

    loop.add_reader(fd, tell)
    try:
        await news
    finally:
        loop.remove_reader(fd)


def _kept(stack: ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    return _kept(reader, read), _kept(writer, write)


def _file(stack: ExitStack, content: str = "") -> int:
    fd = _kept(stack, os.memfd_create("mooring"))
    os.write(fd, content.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
