"""A disk of a few MiB: a tmpfs of our own, in a namespace of its own where we may not mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from msgspec import Struct

HOLDING = 'mount -t tmpfs -o size="$1",mode=700 none "$2" && echo held && exec cat'


class SmallDisk(Struct, frozen=True):
    """`prefix` is a command before those that shall see it at `path`; `seen` is where we do."""

    path: Path
    prefix: tuple[str, ...]
    seen: Path

    def remount(self, how: Literal["ro", "rw"]) -> None:
        """Only while nobody has a file of it open for writing."""
        command = (*self.prefix, "mount", "-o", f"remount,{how}", str(self.path))
        subprocess.run(command, check=True)

    @property
    def free(self) -> int:
        use = os.statvfs(self.seen)
        return use.f_bavail * use.f_frsize


class NoSmallDisk(Exception):
    """Neither root nor a user namespace may mount here; says why."""


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """Raises NoSmallDisk."""
    place = folder / "disk"
    place.mkdir()
    size = f"{mib}m"
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(place))
    if os.geteuid() == 0 and not subprocess.run(mount, capture_output=True).returncode:
        try:
            yield SmallDisk(place, (), place)
        finally:
            # What still looks at a file of it keeps it, and nobody else.
            subprocess.run(("umount", "--lazy", str(place)), check=True)
    else:
        with _held(place, size) as keeper:
            enter = ("nsenter", "--preserve-credentials", "-U", "-m", "-t", str(keeper))
            yield SmallDisk(place, enter, Path(f"/proc/{keeper}/root{place}"))


@contextmanager
def _held(place: Path, size: str) -> Iterator[int]:
    """A process whose namespace has the disk; it ends with its stdin."""
    command = ("unshare", "-Urm", "sh", "-c", HOLDING, "sh", size, str(place))
    try:
        keeper = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise NoSmallDisk(str(error)) from None
    with keeper:
        assert keeper.stdout is not None
        assert keeper.stderr is not None
        if keeper.stdout.readline() != b"held\n":
            raise NoSmallDisk(keeper.stderr.read().decode(errors="replace").strip())
        try:
            yield keeper.pid
        finally:
            with suppress(OSError):
                assert keeper.stdin is not None
                keeper.stdin.close()
            keeper.wait()
