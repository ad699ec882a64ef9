"""A session's files on disk and their checkpoints, whole after a kill at any instant."""

import asyncio
import errno
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.errors import Problem
from agent.protocol import TurnId
from agent.sandbox.adoption import Adoption
from agent.sandbox.beneath import regular_files
from agent.sandbox.chain import Chain
from agent.sandbox.drafts import is_wanted
from agent.sandbox.erase import erase
from agent.sandbox.jail import MIB
from agent.sandbox.mirror import Mirror, seal_of
from agent.sandbox.owner import Owner, sandbox_owner
from agent.sandbox.patience import Stop, blocking
from agent.sandbox.room import room_of
from agent.sandbox.seals import read_seals, write_seals

T = TypeVar("T")

_log = logging.getLogger(__name__)


class SessionWorkspace:
    """Everything is in `root`: `trees/N` with the files, `checkpoints/N`, `state.json`.

    The state is replaced in one step; what it does not name was begun and not finished, and is
    swept away. Nothing but the tree is ever seen by a sandbox. Methods raise Problem.
    """

    def __init__(
        self,
        root: Path,
        executor: Executor,
        *,
        owner: Owner | None = None,
        keep: int = 50,
        keep_mib: int = 10_240,
    ) -> None:
        self._root = root
        self._executor = executor
        self._owner = owner or sandbox_owner()
        self._keep = keep
        self._keep_bytes = keep_mib * MIB
        self._turnstile = asyncio.Lock()
        self._swept = False

    @property
    def tree(self) -> Path:
        tree = self._tree(self._chain())
        with _problems():
            if not tree.is_dir():
                tree.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._root.chmod(0o700)
            if self._owner and tree.stat().st_uid != self._owner.uid:
                os.chown(tree, self._owner.uid, self._owner.gid)
        return tree

    async def checkpoint(self, turn: TurnId) -> None:
        await self._do(lambda stop: self._checkpoint(turn, stop))

    async def rewind(self, undone: Collection[TurnId]) -> bool:
        """What cannot be gone back on is told once: the next call is about what is left."""
        return await self._do(lambda stop: self._rewind(undone, stop))

    async def agrees(self, undone: Collection[TurnId]) -> bool:
        """Whether all there is to go back on was gone back on, or cannot be."""
        return (await self._turns()).isdisjoint(undone)

    async def has_checkpoints(self) -> bool:
        """Or had some that made room for others."""
        return bool(await self._turns())

    async def quiet(self) -> None:
        """Returns when what was asked for before is done."""
        async with self._turnstile:
            return

    async def adopt(self, names: Collection[str], place: Callable[[], None]) -> None:
        """Let `place` put files with these names into the tree's root, to be there for good.

        They are put into every checkpoint too: what a person adds is not undone with a turn.
        """
        await self._do(lambda stop: self._adopt(names, place, stop))

    async def copy_as_of(self, turn: TurnId | None, later: Sequence[TurnId], to: Path) -> bool:
        """Make `to` the root of a workspace with the files as they were after `turn`.

        `later` are the turns after it in the order of the log, undone ones too. False when those
        files are gone: the copy then has the files of now.
        """
        return await self._do(lambda stop: self._copy_as_of(turn, later, to, stop))

    async def size(self) -> int:
        """Bytes on disk of the files, without their checkpoints."""
        return await self._do(lambda stop: room_of(self.tree, stop).bytes)

    async def delete(self) -> None:
        """Whatever state it is in."""
        async with self._turnstile:
            await blocking(self._executor, self._delete)

    async def _turns(self) -> frozenset[TurnId]:
        return await blocking(self._executor, lambda stop: self._chain().turns)

    # ---- on the executor -----------------------------------------------------------------------

    async def _do(self, work: Callable[[Stop], T]) -> T:
        """One piece of work at a time; what is cancelled has stopped when this returns."""
        async with self._turnstile:
            return await blocking(self._executor, lambda stop: self._whole(work, stop))

    def _whole(self, work: Callable[[Stop], T], stop: Stop) -> T:
        with _problems():
            if not self._swept:
                self._sweep(self._chain(), stop)
            self._swept = False
            result = work(stop)
            self._swept = True
            return result

    def _checkpoint(self, turn: TurnId, stop: Stop) -> None:
        chain = self._chain()
        if chain.holds(turn):
            return
        place = self._place(chain.next)
        place.mkdir(parents=True)
        basis = None if chain.basis is None else self._place(chain.basis)
        known = read_seals(basis) if basis else {}
        mirror = Mirror(stop, same=lambda path, found, _: known.get(path) == seal_of(found))
        mirror.make(self.tree, place / "files", twin=basis / "files" if basis else None)
        write_seals(place, mirror.seals)
        then = chain.with_checkpoint(
            turn, mirror.copied, keep=self._keep, keep_bytes=self._keep_bytes
        )
        self._save(then)
        self._sweep(then, stop)

    def _rewind(self, undone: Collection[TurnId], stop: Stop) -> bool:
        chain = self._chain()
        popped = chain.last(undone)
        if chain.cannot_go_back(undone) or (popped and not self._files(popped[0].number).is_dir()):
            self._save(chain.without(undone))
            return False
        if not popped:
            return True
        place = self._place(popped[0].number)
        known = read_seals(place)
        then = chain.gone_back(popped)
        mirror = Mirror(stop, self._owner, lambda path, _, now: known.get(path) == seal_of(now))
        mirror.make(place / "files", self._tree(then), twin=self.tree)
        self._save(then)
        self._sweep(then, stop)
        files = regular_files(self._tree(then))
        write_seals(place, {path: seal_of(found) for path, found in files})
        return True

    def _adopt(self, names: Collection[str], place: Callable[[], None], stop: Stop) -> None:
        numbers = sorted(self._chain().numbers)
        place()
        into = [self._place(number) for number in numbers if self._files(number).is_dir()]
        if into:
            Adoption(self.tree, self._root / "adopted", stop).put(names, into)

    def _copy_as_of(
        self, turn: TurnId | None, later: Sequence[TurnId], to: Path, stop: Stop
    ) -> bool:
        number, exact = self._chain().as_of(turn, later)
        if number is not None and not self._files(number).is_dir():
            number, exact = None, False
        source = self.tree if number is None else self._files(number)
        # Not number 1, which is the tree of a workspace without a state: a copy that was cut
        # short must not be taken for one.
        chain = Chain(tree=2, next=3)
        copy = SessionWorkspace(to, self._executor, owner=self._owner)
        erase(copy._tree(chain), stop)
        copy._tree(chain).parent.mkdir(parents=True, exist_ok=True)
        to.chmod(0o700)
        Mirror(stop, self._owner).make(source, copy._tree(chain))
        copy._save(chain)
        return exact

    def _delete(self, stop: Stop) -> None:
        with _problems():
            (self._root / "state.json").unlink(missing_ok=True)
            self._sweep(None, stop)
            with suppress(FileNotFoundError):
                shutil.rmtree(self._root)

    # ---- on disk -------------------------------------------------------------------------------

    def _tree(self, chain: Chain) -> Path:
        return self._root / "trees" / str(chain.tree)

    def _place(self, number: int) -> Path:
        return self._root / "checkpoints" / str(number)

    def _files(self, number: int) -> Path:
        return self._place(number) / "files"

    def _chain(self) -> Chain:
        try:
            return msgspec.json.decode((self._root / "state.json").read_bytes(), type=Chain)
        except FileNotFoundError:
            return Chain()
        except msgspec.DecodeError as error:
            _log.error("%s is damaged: %s", self._root / "state.json", error)
            raise Problem(
                "workspace_damaged",
                "The list of this session's files is damaged: without it they are lost. Restore it"
                " from a backup (the server's log says where), or delete the session.",
            ) from None

    def _save(self, chain: Chain) -> None:
        """The one step that makes a checkpoint or a rewind so."""
        draft = self._root / "state.json.new"
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(chain))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._root / "state.json")
        directory = os.open(self._root, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _sweep(self, chain: Chain | None, stop: Stop) -> None:
        """Delete what the state does not name, but for files that are being written."""
        trees = {chain.tree} if chain else set()
        checkpoints = chain.numbers if chain else set()
        for folder, numbers in (("trees", trees), ("checkpoints", checkpoints)):
            names = set(map(str, numbers))
            with suppress(FileNotFoundError):
                for place in list((self._root / folder).iterdir()):
                    if place.name not in names and not is_wanted(place.name):
                        erase(place, stop)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem("no_room", "The disk is full. Delete something first.") from None
        _log.error("a workspace cannot be used: %s", failure)
        says = f"The workspace cannot be used: {failure.strerror}. The server's log says where."
        raise Problem("workspace_unusable", says) from None
