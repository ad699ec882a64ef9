"""Sealing what is secret, with keys from a file of the data folder that can be rotated."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from msgspec import Struct

from agent.errors import ConfigProblem, Problem

FILE = "vault.keys"
_MARK = "the mark"
_HEAD = "# Opens what mooring.db keeps secret: the first key seals. Keep it, and keep it private.\n"


class VaultStore(Protocol):
    """The part of the store that a vault needs."""

    async def mark(self) -> bytes | None: ...

    async def set_mark(self, sealed: bytes) -> None: ...


class VaultProblem(ConfigProblem):
    """The key file is not the one that sealed what is stored."""


class _Content(Struct, frozen=True):
    """`of` binds it to its place: what was sealed elsewhere does not open there."""

    of: str
    value: str


class Vault:
    """Opens and seals with the keys of one file, which is made when it is first needed."""

    def __init__(self, path: Path, keys: Sequence[bytes]) -> None:
        self.path = path
        self.keys = tuple(keys)
        self._fernet = MultiFernet([Fernet(key) for key in self.keys])

    @classmethod
    async def begin(cls, folder: Path, store: VaultStore) -> "Vault":
        """Of a data folder. Raises VaultProblem where other keys sealed what is stored."""
        path, mark = folder / FILE, await store.mark()
        if mark is None:
            vault = cls(path, _read(path) or _make(path))
            await store.set_mark(vault.new_mark())
            return vault
        keys = _read(path)
        if not keys:
            raise _unusable(path, "is missing")
        vault = cls(path, keys)
        vault.check(mark)
        return vault

    def new_mark(self) -> bytes:
        """What tells later whether the keys are those that sealed."""
        return self.seal(_MARK, "")

    def check(self, mark: bytes) -> None:
        """Raises VaultProblem unless one of the keys made the mark."""
        try:
            self.open(_MARK, mark)
        except Problem:
            raise _unusable(self.path, "holds other keys") from None

    def seal(self, of: str, value: str) -> bytes:
        return self._fernet.encrypt(msgspec.json.encode(_Content(of, value)))

    def open(self, of: str, sealed: bytes) -> str:
        """Raises Problem `unsealable`."""
        try:
            content = msgspec.json.decode(self._fernet.decrypt(sealed), type=_Content)
        except (InvalidToken, msgspec.DecodeError):
            content = None
        if content is None or not secrets.compare_digest(content.of.encode(), of.encode()):
            raise Problem("unsealable", f"What is stored as {of} cannot be opened. Set it anew.")
        return content.value

    def with_new_key(self) -> "Vault":
        """The same with a new first key, written down before anything is sealed with it."""
        keys = (Fernet.generate_key(), *self.keys)
        _write(self.path, keys)
        return Vault(self.path, keys)

    def without_old_keys(self) -> "Vault":
        _write(self.path, self.keys[:1])
        return Vault(self.path, self.keys[:1])


def _unusable(path: Path, why: str) -> VaultProblem:
    return VaultProblem(
        f"{path} {why}, and what is stored was sealed with it: log-ins and secrets. Bring it back"
        " from where it was kept, or give them up with `mooring keys forget`."
    )


def _read(path: Path) -> tuple[bytes, ...]:
    """Nothing where there is no file. Raises VaultProblem where it holds something else."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise VaultProblem(f"{path} cannot be read: {error.strerror}.") from None
    keys = tuple(line.strip() for line in lines if line.strip() and not line.startswith(b"#"))
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        raise _unusable(path, "is damaged") from None
    if path.stat().st_mode & 0o077:
        raise VaultProblem(f"{path} can be read by others. `chmod 600` it, and rotate the keys.")
    return keys


def _make(path: Path) -> tuple[bytes, ...]:
    """Linked to its name when it is whole; where another process was faster, its keys are taken."""
    whole = _written(path, (Fernet.generate_key(),))
    try:
        os.link(whole, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise VaultProblem(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        whole.unlink()
    return _read(path)


def _write(path: Path, keys: Sequence[bytes]) -> None:
    _written(path, keys).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _written(path: Path, keys: Sequence[bytes]) -> Path:
    """The keys in a file of another name, on the disk."""
    whole = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(_HEAD + "".join(f"{key.decode()}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return whole
