"""Whoever keeps secrets asks here for the vault: most servers have none, and load no ciphers."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.identity.vault import Vault, VaultStore


class Keeper:
    """The vault of a data folder, which is not made before something is to be sealed."""

    def __init__(self, folder: Path, store: "VaultStore") -> None:
        self._folder = folder
        self._store = store
        self._vault: Vault | None = None
        self._beginning = asyncio.Lock()

    async def vault(self) -> "Vault":
        """Raises VaultProblem."""
        from server.identity.vault import Vault

        async with self._beginning:
            if self._vault is None:
                self._vault = await Vault.begin(self._folder, self._store)
            return self._vault

    async def check(self) -> None:
        """Raises VaultProblem where something was sealed that cannot be opened."""
        if await self._store.mark() is not None:
            await self.vault()
