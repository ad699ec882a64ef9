"""New keys for what is sealed, and giving up what no key opens any more; while no server runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from agent.errors import ConfigProblem
from server.identity.keeper import Keeper
from server.identity.logins import LoginStore
from server.identity.tool_logins import ToolLoginStore
from server.identity.tool_logins import place_of as place_of_login
from server.identity.vault import FILE, Vault, VaultProblem, VaultStore
from server.identity.wallet import SecretStore, place_of


class SealedStore(VaultStore, LoginStore, SecretStore, Protocol):
    """All that is sealed."""

    async def forget_sealed(self) -> int: ...


async def rotate(folder: Path, store: SealedStore, tools: ToolLoginStore) -> int:
    """How many seals were made anew. Raises VaultProblem, or Problem for what cannot be opened.

    The new key is on the disk before anything is sealed with it, and the old one until nothing
    needs it: whenever this breaks off, everything can be opened, and it can be done again.
    """
    await Keeper(folder, store).check()
    vault = (await Vault.begin(folder, store)).with_new_key()
    logins, secrets = await store.logins(), await store.secrets()
    for login in logins:
        sealed = _again(vault, login.id, login.sealed)
        await store.renew_login(login.id, sealed, login.refresh_at)
    for secret in secrets:
        sealed = _again(vault, place_of(secret.owner, secret.name), secret.sealed)
        anew = msgspec.structs.replace(secret, sealed=sealed)
        await store.set_secret(anew, most=len(secrets))
    granted = await tools.all()
    for row in granted:
        sealed = _again(vault, place_of_login(row.owner, row.server), row.sealed)
        await tools.renew(msgspec.structs.replace(row, sealed=sealed))
    await store.set_mark(vault.new_mark())
    vault.without_old_keys()
    return len(logins) + len(secrets) + len(granted)


def _again(vault: Vault, of: str, sealed: bytes) -> bytes:
    return vault.seal(of, vault.open(of, sealed))


async def forget(folder: Path, store: SealedStore, move_away: Callable[[Path], None]) -> int:
    """How much was given up. Raises ConfigProblem while the keys still open it."""
    try:
        await Keeper(folder, store).check()
    except VaultProblem:
        gone = await store.forget_sealed()
        if (path := folder / FILE).exists():
            move_away(path)
        return gone
    raise ConfigProblem(
        "The keys open what is stored: nothing has to be given up. Users remove their secrets"
        " with `mooring secret remove`."
    )
