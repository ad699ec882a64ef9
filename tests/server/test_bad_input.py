"""Whatever a model writes, a call of the server's tools ends in a result that it can act on."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.sandbox.workspace import SessionWorkspace
from agent.tools.hub_client import HubSettings
from agent.tools.toolbox import Finished, Toolbox
from server.building import make_toolbox
from server.config import Config
from tests.agent.tools.calls import Calls, ScriptedSandbox
from tests.agent.tools.hub_scene import Mine
from tests.fakes.hub.server import ADA, FakeHub

NAMES = (
    *("bash", "read", "write", "edit", "plan", "research", "web_search", "web_fetch", "github"),
    *("hf_repo_files", "hf_repo_git", "hf_search", "hf_inspect_dataset", "hf_docs", "hf_papers"),
    "hf_jobs",
)
OPERATIONS = ("github", "hf_repo_files", "hf_repo_git", "hf_docs", "hf_papers", "hf_jobs")


class Tools:
    """The toolbox as the server makes it, on a Hub of the tests' own."""

    def __init__(self, toolbox: Toolbox, workspace: SessionWorkspace) -> None:
        self.toolbox = toolbox
        self.tree = workspace.tree
        self._calls = Calls(workspace)

    async def __call__(
        self, name: str, arguments: dict[str, Any], token: str | None = None
    ) -> Finished:
        call = msgspec.structs.replace(self._calls(), keys=Mine(token))
        return await self.toolbox.call(name, arguments, call)

    async def fails(self, name: str, arguments: dict[str, Any], token: str | None = None) -> str:
        finished = await self(name, arguments, token)
        assert finished.status == "error", finished.output
        return finished.output

    def fields(self, name: str) -> dict[str, Any]:
        (schema,) = (one for one in self.toolbox.schemas() if one.name == name)
        properties: dict[str, Any] = schema.parameters["properties"]
        return properties


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub:
        yield hub


@pytest_asyncio.fixture
async def tools(hub: FakeHub, tmp_path: Path) -> AsyncIterator[Tools]:
    with ThreadPoolExecutor(4) as threads:
        config = Config(hub=msgspec.convert(hub.config, HubSettings))
        toolbox = make_toolbox(config, ScriptedSandbox("done"), threads, tmp_path / "hub")
        workspace = SessionWorkspace(tmp_path / "session", threads)
        workspace.tree.mkdir(parents=True, exist_ok=True)
        yield Tools(toolbox, workspace)


def test_these_are_all_tools(tools: Tools) -> None:
    assert tools.toolbox.names == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_a_wrong_type_is_named_with_its_place(name: str, tools: Tools, hub: FakeHub) -> None:
    for field in tools.fields(name):
        said = await tools.fails(name, {field: {"not": ["that"]}})
        assert said.startswith(f"The arguments of {name} are not valid: ")
        assert ". It takes " in said
    said = await tools.fails(name, {"nonsense": 1})
    assert "nonsense" in said or "missing required field" in said
    assert hub.asked == []


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_unknown_operation_is_named(name: str, tools: Tools, hub: FakeHub) -> None:
    said = await tools.fails(name, {"operation": "burn", "repo_id": "ada/net"})
    assert "Invalid enum value 'burn'" in said
    assert hub.asked == []


ODD = ["", " ", "\0", "../../etc/passwd", "/etc/passwd", "a" * 5_000, "é𝄞", "{", "-1", "%00"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(ODD),
    st.text(max_size=20),
    st.lists(st.sampled_from(ODD), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
RIGHT = {"repo_id": "ada/net", "dataset": "ada/set", "id": "2305.18290", "job_id": "ada/job1"}


@st.composite
def calls(draw: st.DrawFn, fields: dict[str, Any]) -> dict[str, Any]:
    """Arguments of which most are right enough to be looked at."""
    arguments: dict[str, Any] = {}
    for field, schema in fields.items():
        known = [schema["const"]] if "const" in schema else schema.get("enum", [])
        right = [*known, *([RIGHT[field]] if field in RIGHT else [])]
        usual: int = draw(st.integers(0, 9))
        if right and usual:
            arguments[field] = draw(st.sampled_from(right))
        elif draw(st.booleans()):
            arguments[field] = draw(VALUES)
    return arguments


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("web_search", "web_fetch")]
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_no_arguments_break_a_tool(
    name: str, data: st.DataObject, tools: Tools, hub: FakeHub
) -> None:
    arguments = data.draw(calls(tools.fields(name)))
    if name == "github":
        arguments["repo"] = "no such repository"
    hub.repos.add("ada/net", refs={"main": {"a.txt": b"text"}})
    finished = await tools(name, arguments, data.draw(st.sampled_from([None, ADA])))
    assert finished.output
    assert "failed inside" not in finished.output, arguments
