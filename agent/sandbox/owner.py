"""Whom the files of a workspace belong to, and whom its commands run as."""

import os
from pathlib import Path

from msgspec import Struct

SANDBOX_ID = 65_533
"""A user and group that no distribution hands out and every usual id mapping includes."""


class Owner(Struct, frozen=True):
    uid: int
    gid: int


def sandbox_owner() -> Owner | None:
    """The unprivileged owner when the server is root; None: commands run as the server does.

    The kernel never holds root to its limit of processes, whatever namespace it is in.
    """
    if os.geteuid() != 0 or not _mapped(Path("/proc/self/uid_map").read_text(), SANDBOX_ID):
        return None
    return Owner(SANDBOX_ID, SANDBOX_ID)


def _mapped(uid_map: str, uid: int) -> bool:
    ranges = (tuple(map(int, line.split())) for line in uid_map.splitlines())
    return any(first <= uid < first + count for first, _outside, count in ranges)
