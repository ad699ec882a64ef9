"""The application with its doors open, for users who show tokens and for whoever comes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.routes.doors import Doors, doors


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path) as here:
        yield here


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path, auth="dev") as here:
        yield here
