"""A house of sessions on a folder of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.sessions.house import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as here:
        yield here
