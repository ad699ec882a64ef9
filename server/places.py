"""Where things are: the folders that travel with the code, and the user's data folder."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal


def shipped(folder: Literal["configs", "static"], rooms: Path = Path(__file__).parent) -> Path:
    """A folder of this distribution: inside `server` when installed, beside it in a checkout.

    `static` is the built page, which a checkout has once `make` has made it.
    """
    inside = rooms / folder
    if inside.is_dir():
        return inside
    return rooms.parent / folder / "dist" if folder == "static" else rooms.parent / folder


def user_data_folder(
    platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Path:
    """Where this platform keeps an application's data of one user; it need not exist yet."""
    home = Path.home()
    if platform == "darwin":
        return home / "Library" / "Application Support" / "mooring"
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "mooring"
    configured = Path(environment.get("XDG_DATA_HOME") or "")
    # The XDG specification: a relative path is invalid and to be ignored.
    return (configured if configured.is_absolute() else home / ".local" / "share") / "mooring"
