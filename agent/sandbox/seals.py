"""The seals of a checkpoint on disk: which files of the tree it holds just as they are."""

import os
import time
from pathlib import Path

import msgspec

from agent.sandbox.mirror import Seal

_SETTLE_TRIES = 25
_SETTLE_SECONDS = 0.002


def write_seals(place: Path, seals: dict[str, Seal]) -> None:
    draft = place / "seals.new"
    seals = _settled(seals, draft)
    draft.write_bytes(msgspec.msgpack.encode(seals))
    draft.replace(place / "seals")


def _settled(seals: dict[str, Seal], probe: Path) -> dict[str, Seal]:
    """Wait until the file system's clock has moved on: a later change then shows in the times."""
    newest = max((seal.changed_ns for seal in seals.values()), default=0)
    now = 0
    for _ in range(_SETTLE_TRIES):
        probe.write_bytes(b"")
        os.utime(probe)
        if (now := probe.stat().st_mtime_ns) > newest:
            return seals
        time.sleep(_SETTLE_SECONDS)
    return {path: seal for path, seal in seals.items() if seal.changed_ns < now}


def read_seals(place: Path) -> dict[str, Seal]:
    try:
        return msgspec.msgpack.decode((place / "seals").read_bytes(), type=dict[str, Seal])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
