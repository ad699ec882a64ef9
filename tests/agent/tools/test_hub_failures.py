"""Every call of every Hub tool, while the Hub fails in every way: a result that says what to do."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agent.tools.hub_client import Hub
from agent.tools.toolbox import Finished
from tests.agent.tools.calls import Calls
from tests.agent.tools.hub_calls import EVERY
from tests.agent.tools.hub_scene import HubTools, fake
from tests.fakes.hub.server import FakeHub

__all__ = ["fake"]
GRAPH = "The graph of papers (cannot be asked|does not know this one|allows no more requests)"
HOW: dict[int | str, str] = {
    401: "Ask the user to renew it|private or gated",
    403: "The user can allow it in the settings of their tokens|private or gated",
    404: "nothing there. Check the names|does not know this dataset",
    429: "Try in 77 seconds",
    500: "Try again later",
    "slow": "Try again later, or ask for less",
    "cut": "The Hub cannot be reached, or broke off|The log broke off",
}
OPAQUE = {"read", "fetch", "logs", "create_branch", "delete_branch", "create_tag", "delete_tag"} | {
    *("merge_pr", "update_repo", "cancel")
}
"""What looks at no part of an answer, or takes every text for one."""


class Every:
    def __init__(self, fake: FakeHub, calls: Calls, executor: ThreadPoolExecutor, home: Path):
        self._made = (fake, calls, executor, home)

    async def __call__(self, silence: float = 30) -> list[tuple[str, Finished]]:
        """What came of every call, all of them at once."""
        fake, calls, executor, home = self._made
        hub = Hub(fake.url, home, threads=16, silence=silence)
        tools = HubTools(fake, hub, calls, executor, silence)
        async with asyncio.timeout(120):
            done = await asyncio.gather(*(tools(name, **asked) for name, asked in EVERY))
        named = (str(asked.get("operation")) for _, asked in EVERY)
        return list(zip(named, done, strict=True))


@pytest.fixture
def every(fake: FakeHub, calls: Calls, executor: ThreadPoolExecutor, tmp_path: Path) -> Every:
    return Every(fake, calls, executor, tmp_path / "hub")


@pytest.mark.parametrize("how", HOW)
async def test_each_says_what_to_do(how: Any, fake: FakeHub, every: Every) -> None:
    fake.fail("", how, headers={"Retry-After": "77"} if how == 429 else {})
    for operation, finished in await every(0.3 if how == "slow" else 30):
        said = finished.output
        assert finished.status == "error", (operation, said)
        assert re.search(f"{HOW[how]}|{GRAPH}", said), (operation, said)
        begun = operation in ("run", "uv") and how in (500, "slow", "cut")
        assert ("Look with ps" in said) == begun, "what may have begun is not begun again"


async def test_an_answer_that_is_none_is_not_taken_for_one(fake: FakeHub, every: Every) -> None:
    fake.fail("", "garbage")
    for operation, finished in await every():
        if operation not in OPAQUE:
            assert finished.status == "error", operation
            assert re.search(f"no usable answer|list no pages|{GRAPH}", finished.output), operation


def test_no_operation_is_left_out(
    calls: Calls, executor: ThreadPoolExecutor, fake: FakeHub, tmp_path: Path
) -> None:
    tools = HubTools(fake, Hub(fake.url, tmp_path), calls, executor).toolbox.schemas()
    for tool in tools:
        known = tool.parameters["properties"].get("operation", {}).get("enum", [None])
        called = {asked.get("operation") for name, asked in EVERY if name == tool.name}
        assert called == set(known), tool.name
