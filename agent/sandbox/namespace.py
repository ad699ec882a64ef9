"""One running namespace: a command and every process that comes of it, until the last is gone."""

import asyncio
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path

from agent.errors import Problem
from agent.sandbox.jail import ETC, READY
from agent.sandbox.owner import Owner
from agent.sandbox.patience import to_the_end

LAUNCH_SECONDS = 20.0
END_SECONDS = 10.0
log = logging.getLogger(__name__)

CommandLine = Callable[[dict[str, int]], Sequence[str]]
"""Descriptors of the made-up files by path -> what to start."""

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


class Namespace:
    """Nothing of the command runs before `go`, and nothing lives on after `end`.

    `output` is the read end of its stdout and stderr, `init` its first process as seen from here.
    A guard starts it all; the guard's child is the first process of a namespace around the
    sandbox: when it dies, the kernel ends all others first, whatever they did to get away.
    """

    def __init__(self, command_line: CommandLine, workspace: Path, owner: Owner | None) -> None:
        """Start the guard from this very thread: it dies with the thread that started it."""
        with ExitStack() as ours, ExitStack() as theirs:
            stdin, go = _pipe(theirs, theirs)
            self.output, output = _pipe(ours, theirs)
            self._errors, errors = _pipe(ours, theirs)
            etc = {path: _file(theirs, content) for path, content in ETC.items()}
            self._started = subprocess.Popen(
                command_line(etc),
                stdin=stdin,
                stdout=output,
                stderr=errors,
                cwd=workspace,
                env={},
                pass_fds=tuple(etc.values()),
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
            )
            self._guard = _Process(ours, self._started.pid)
            self._go = os.fdopen(os.dup(go), "wb", buffering=0)
            self._descriptors = ours.pop_all()
        self.init = 0
        self._first: _Process | None = None

    async def ready(self) -> None:
        """Wait until everything is set up and it is known whom to kill."""
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                await self._launched()
        except TimeoutError:
            raise CannotStart(f"The sandbox was not ready after {LAUNCH_SECONDS:.0f} s") from None
        first = only_child(self._started.pid)
        self.init = only_child(first)
        self._first = _Process(self._descriptors, first)

    async def _launched(self) -> None:
        said = b""
        while not said.endswith(READY):
            await readable(self.output)
            if not (piece := os.read(self.output, 4096)):
                os.set_blocking(self._errors, False)
                with suppress(BlockingIOError):
                    said += os.read(self._errors, 4096)
                raise CannotStart(FORBIDDEN.format(said=said.decode(errors="replace").strip()))
            said += piece

    def go(self) -> None:
        """Let the command begin. The line cannot block: it is the first in its pipe."""
        with suppress(BrokenPipeError):
            self._go.write(b"go\n")

    async def exited(self) -> None:
        """Wait until the command ended; what it left in the background ended with it."""
        await self._guard.gone()

    async def end(self) -> int:
        """Kill what is left, wait until the last process is gone, return the exit status."""
        try:
            async with asyncio.timeout(END_SECONDS):
                if self._first is None:
                    await self._end_launch()
                else:
                    self._first.kill()
                await self._guard.gone()
        except TimeoutError:
            log.error("A sandbox does not end (process %d)", self._started.pid)
            self._guard.kill()
        status = self._started.poll()
        return -signal.SIGKILL if status is None else status

    async def _end_launch(self) -> None:
        """The guard takes along what it started, or else the launcher finds nobody to say go."""
        self._guard.kill()
        self._go.close()
        while True:
            await readable(self.output)
            if not os.read(self.output, 4096):
                return

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
    with closing(space):
        try:
            await space.ready()
            yield space
        finally:
            await to_the_end(space.end())


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


def only_child(pid: int) -> int:
    """The process that `pid` has started; raises CannotStart when there is none any more."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        children = [other for other in _processes() if _parent(other) == pid]
    if not children:
        raise CannotStart("The sandbox ended before its command began.")
    return int(children[0])


def _processes() -> list[str]:
    """For kernels that do not tell a process's children."""
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: str) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _kept(stack: ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    return _kept(reader, read), _kept(writer, write)


def _file(stack: ExitStack, content: str) -> int:
    fd = _kept(stack, os.memfd_create("mooring"))
    os.write(fd, content.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
