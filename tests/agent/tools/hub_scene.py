"""The Hub's tools on the tests' own Hub, called as the agent calls them."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest_asyncio

from agent.protocol import CallId
from agent.tools.datasets import InspectDataset
from agent.tools.hub_client import Hub
from agent.tools.hub_docs import HubDocs
from agent.tools.hub_files import RepoFiles
from agent.tools.hub_jobs import Jobs
from agent.tools.hub_repos import RepoGit
from agent.tools.hub_search import HubSearch
from agent.tools.hub_web import HubWeb
from agent.tools.job_log import JobLog
from agent.tools.job_prices import Prices
from agent.tools.paper_graph import PaperGraph
from agent.tools.papers import Papers
from agent.tools.port import Call
from agent.tools.toolbox import Finished, Toolbox
from tests.agent.tools.calls import Calls
from tests.fakes.hub.server import ADA, FakeHub

HOST = "hf_the_token_of_the_host"


class Mine:
    """The keys of a user."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def hub(self) -> str | None:
        return self._token

    def login(self, server: str) -> None:
        return None

    def github(self) -> None:
        return None

    def secret(self, name: str) -> str | None:
        return self.hub() if name == "HF_TOKEN" else None

    def names(self) -> tuple[str, ...]:
        return ("HF_TOKEN",)


class HubTools:
    """`await tools("hf_docs", operation="explore")`, as ada, or as `token` says.

    A Hub that says nothing is left after so many seconds of `silence`.
    """

    def __init__(
        self,
        fake: FakeHub,
        hub: Hub,
        calls: Calls,
        executor: ThreadPoolExecutor,
        silence: float = 30,
    ) -> None:
        def web(path: str = "") -> HubWeb:
            return HubWeb(f"{fake.url}{path}", seconds=silence)

        self.fake = fake
        self.calls = calls
        self.toolbox = Toolbox(
            [
                RepoFiles(hub, web()),
                RepoGit(hub),
                InspectDataset(web("/viewer")),
                HubDocs(web(), executor),
                HubSearch(hub),
                Papers(hub, PaperGraph(web("/graph"))),
                Jobs(hub, JobLog(fake.url, patience=silence), Prices(hub), quiet=0.2),
            ],
            executor,
        )

    def made(self, token: str | None = ADA, id: CallId = "c1") -> Call:
        return msgspec.structs.replace(self.calls(id), keys=Mine(token))

    async def __call__(
        self, name: str, *, token: str | None = ADA, **arguments: object
    ) -> Finished:
        return await self.toolbox.call(name, arguments, self.made(token))

    async def says(self, name: str, *, token: str | None = ADA, **arguments: object) -> str:
        """What it answers, and it must be an answer."""
        finished = await self(name, token=token, **arguments)
        assert finished.status == "ok", finished.output
        return finished.output

    async def fails(self, name: str, *, token: str | None = ADA, **arguments: object) -> str:
        finished = await self(name, token=token, **arguments)
        assert finished.status == "error", finished.output
        return finished.output


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub:
        yield hub


@pytest_asyncio.fixture
async def tools(
    fake: FakeHub, calls: Calls, executor: ThreadPoolExecutor, tmp_path: Path
) -> HubTools:
    return HubTools(fake, Hub(fake.url, tmp_path / "hub"), calls, executor)
