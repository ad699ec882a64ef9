"""The data directory: made private, and locked so that only one server writes in it."""

import contextlib
import fcntl
import os
from pathlib import Path

from server.store.errors import StoreProblem

_PID_BYTES = 32


def prepare(directory: Path) -> None:
    """Make the directory, for its owner only, where it is missing."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, error) from error


def check_free(directory: Path) -> None:
    """Raise StoreProblem `data_dir_locked` while a server holds the directory; leaves no trace."""
    try:
        descriptor = os.open(directory / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(directory, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _locked(directory, _holder(descriptor)) from error
    finally:
        os.close(descriptor)


class DirectoryLock:
    """An exclusive lock on a data directory; the kernel frees it however its holder dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, directory: Path) -> "DirectoryLock":
        """Lock at once, or raise StoreProblem `data_dir_locked` naming the holder."""
        descriptor = _lock_file(directory)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise _locked(directory, holder) from error
        except OSError as error:
            os.close(descriptor)
            raise _unusable(directory, error) from error
        with contextlib.suppress(OSError):  # on a full disk it holds without a name on it, too
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """The file stays: removing it would let two holders lock two files of the same name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock_file(directory: Path) -> int:
    try:
        return os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(directory, error) from error


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, _PID_BYTES, 0).decode("ascii", "replace").strip()


def _locked(directory: Path, holder: str) -> StoreProblem:
    return StoreProblem(
        "data_dir_locked",
        f"Another Mooring (pid {holder or 'unknown'}) serves {directory}. Stop it, or choose"
        " another --data-dir.",
    )


def _unusable(directory: Path, error: OSError) -> StoreProblem:
    return StoreProblem(
        "data_dir_read_only",
        f"The data directory {directory} cannot be used ({error.strerror}). Make it a directory"
        " that this user may write, or choose another --data-dir.",
    )
