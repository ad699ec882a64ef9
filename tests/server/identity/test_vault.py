"""The vault: sealed to a place, with private keys that are rotated and never replaced silently."""

import asyncio
from pathlib import Path

import pytest

from agent.errors import Problem
from server.identity.keeper import Keeper
from server.identity.vault import FILE, Vault, VaultProblem


class Marked:
    """A store that keeps the mark."""

    def __init__(self) -> None:
        self.kept: bytes | None = None

    async def mark(self) -> bytes | None:
        return self.kept

    async def set_mark(self, sealed: bytes) -> None:
        self.kept = sealed


async def test_what_is_sealed_opens_in_its_place_and_nowhere_else(tmp_path: Path) -> None:
    vault = await Vault.begin(tmp_path, Marked())
    sealed = vault.seal("here", "a value")
    assert b"a value" not in sealed
    assert vault.open("here", sealed) == "a value"
    for of, content in (("there", sealed), ("here", sealed[:-4] + b"AAA="), ("here", b"")):
        with pytest.raises(Problem, match="cannot be opened"):
            vault.open(of, content)


async def test_the_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    store = Marked()
    keeper = Keeper(tmp_path, store)
    await keeper.check()
    assert not (tmp_path / FILE).exists(), "nothing is sealed yet"
    first, second = await asyncio.gather(keeper.vault(), keeper.vault())
    assert first is second
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    again = await Vault.begin(tmp_path, store)
    assert again.keys == first.keys


async def test_another_process_that_was_faster_is_joined(tmp_path: Path) -> None:
    one = await Vault.begin(tmp_path, Marked())
    other = await Vault.begin(tmp_path, Marked())
    assert one.keys == other.keys


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (None, 0o600, "is missing"),
        (b"", 0o600, "is missing"),
        (b"# nothing\n", 0o600, "is missing"),
        (b"A" * 43 + b"=\n", 0o600, "holds other keys"),
        (b"no key\n", 0o600, "is damaged"),
        (b"A" * 43 + b"=\n", 0o640, "can be read by others"),
    ],
)
async def test_a_file_that_is_not_the_one_is_said_so_and_left_alone(
    content: bytes | None, mode: int, says: str, tmp_path: Path
) -> None:
    store, path = Marked(), tmp_path / FILE
    await Vault.begin(tmp_path, store)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(VaultProblem, match=says):
        await Keeper(tmp_path, store).check()
    assert (path.read_bytes() if path.exists() else None) == content


async def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(VaultProblem, match="cannot be read"):
        await Vault.begin(tmp_path, Marked())


async def test_a_new_key_seals_and_the_old_one_opens_until_it_is_dropped(tmp_path: Path) -> None:
    old = await Vault.begin(tmp_path, Marked())
    both = old.with_new_key()
    of_old, of_new = old.seal("x", "before"), both.seal("x", "after")
    assert (both.open("x", of_old), both.open("x", of_new)) == ("before", "after")
    assert (await Vault.begin(tmp_path, Marked())).keys == both.keys
    new = both.without_old_keys()
    assert new.open("x", of_new) == "after"
    with pytest.raises(Problem):
        new.open("x", of_old)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
