"""The toolbox: every call ends in a result, and shows exactly what its output says."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec import Struct

from agent.errors import Problem
from agent.protocol import Effect, JsonObject
from agent.sandbox.port import SandboxLimits
from agent.tools.files import file_tools
from agent.tools.plan import Plan
from agent.tools.port import Call, Outcome, Stakes
from agent.tools.shell import Bash
from agent.tools.toolbox import Finished, Toolbox
from tests.agent.tools.calls import Calls, ScriptedSandbox


class Nothing(Struct, frozen=True, forbid_unknown_fields=True): ...


class Probe:
    """A tool that does what a test wants."""

    name = "probe"
    description = "Does what a test wants."
    effect: Effect = "spend"
    arguments: type[Struct] = Nothing

    def __init__(self, does: Callable[[Call], Outcome]) -> None:
        self._does = does

    async def run(self, arguments: Any, call: Call) -> Outcome:
        return self._does(call)


def toolbox(executor: ThreadPoolExecutor, does: Callable[[Call], Outcome]) -> Toolbox:
    return Toolbox([Probe(does)], executor, limit=100)


def shows(*texts: str) -> Callable[[Call], Outcome]:
    """Show all but the last, which is the output."""

    def does(call: Call) -> Outcome:
        for text in texts[:-1]:
            call.show(text)
        return Outcome("ok", texts[-1])

    return does


@pytest.fixture
def built_in(executor: ThreadPoolExecutor) -> Toolbox:
    limits = SandboxLimits()
    bash = Bash(ScriptedSandbox(), limits)
    return Toolbox([bash, *file_tools(limits, executor), Plan()], executor)


def test_the_built_in_tools_have_their_effects(built_in: Toolbox) -> None:
    assert {name: built_in.stakes(name, {}).effect for name in (*built_in.names, "unknown")} == {
        "bash": "execute",
        "read": "read",
        "write": "write",
        "edit": "write",
        "plan": "read",
        "unknown": "read",
    }


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    buys: bool


class Store(Probe):
    """Looking is free, and it sells."""

    name = "store"
    arguments: type[Struct] = Order

    def stakes(self, arguments: Order) -> Stakes:
        return Stakes("spend", 2.5) if arguments.buys else Stakes("read")


@pytest.mark.parametrize(
    ("arguments", "stakes"),
    [
        ({"buys": False}, Stakes("read")),
        ({"buys": True}, Stakes("spend", 2.5)),
        pytest.param({"buys": "?"}, Stakes("spend"), id="the gravest where nobody knows"),
    ],
)
def test_what_a_call_may_do_depends_on_what_it_asks(
    executor: ThreadPoolExecutor, arguments: JsonObject, stakes: Stakes
) -> None:
    store = Store(lambda call: Outcome("ok", ""))
    assert Toolbox([store], executor).stakes("store", arguments) == stakes


def test_the_model_is_told_of_every_tool(built_in: Toolbox) -> None:
    assert [schema.name for schema in built_in.schemas()] == list(built_in.names)
    for schema in built_in.schemas():
        assert schema.parameters["type"] == "object"
        assert 50 < len(schema.description) < 800


WRONG = [
    ("shell", {}, "There is no tool 'shell'. The tools are: bash, read, write, edit, plan."),
    ("bash", {}, "missing required field `command`. It takes command; optionally description"),
    ("bash", {"command": 1}, "Expected `str`, got `int` - at `$.command`"),
    ("bash", {"command": "x", "timeout": 1201}, "at `$.timeout`"),
    ("bash", {"command": "x", "timeout": 0}, "at `$.timeout`"),
    ("bash", {"command": "x", "shell": "zsh"}, "unknown field `shell`"),
    ("read", {"path": "a", "offset": 0}, "at `$.offset`"),
    ("write", {"path": "a"}, "missing required field `content`. It takes path, content."),
    ("plan", {"items": [{"id": "1", "content": "x", "status": "done"}]}, "`$.items[0].status`"),
]


@pytest.mark.parametrize(("tool", "arguments", "why"), WRONG)
async def test_a_wrong_call_is_told_what_is_wrong(
    built_in: Toolbox, calls: Calls, tool: str, arguments: dict[str, Any], why: str
) -> None:
    assert why in (built_in.check(tool, arguments) or "")
    finished = await built_in.call(tool, arguments, calls())
    assert finished.status == "error"
    assert why in finished.output
    assert calls.shown["c1"] == finished.output


def test_a_right_call_is_not_complained_about(built_in: Toolbox) -> None:
    assert built_in.check("bash", {"command": "ls", "timeout": 10}) is None


SHOWN = [
    (("whole",), "whole"),
    (("part ", "part and rest"), "part and rest"),
    (("a", "b", "ab"), "ab"),
    (("all", "all"), "all"),
    (("log\n", "result"), "log\nresult"),
    (("log", "result"), "log\nresult"),
    (("", ""), ""),
]


@pytest.mark.parametrize(("texts", "output"), SHOWN)
async def test_what_was_shown_is_the_output_exactly(
    calls: Calls, executor: ThreadPoolExecutor, texts: tuple[str, ...], output: str
) -> None:
    finished = await toolbox(executor, shows(*texts)).call("probe", {}, calls())
    assert finished == Finished("ok", output, False, len(output))
    assert calls.shown["c1"] == output


async def test_a_tool_that_fails_is_a_result_without_a_traceback(
    calls: Calls, executor: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(call: Call) -> Outcome:
        call.show("so far")
        raise ZeroDivisionError("secret detail")

    finished = await toolbox(executor, fails).call("probe", {}, calls())
    assert finished.status == "error"
    assert finished.output.startswith("so far\nThe tool probe failed")
    assert "secret detail" not in finished.output
    assert "secret detail" in caplog.text


async def test_a_problem_says_what_it_is(calls: Calls, executor: ThreadPoolExecutor) -> None:
    def fails(call: Call) -> Outcome:
        raise Problem("no_room", "Too full.")

    finished = await toolbox(executor, fails).call("probe", {}, calls())
    assert (finished.status, finished.output) == ("error", "Too full.")


async def test_a_long_output_is_cut_and_kept_whole_in_the_workspace(
    calls: Calls, executor: ThreadPoolExecutor
) -> None:
    whole = "".join(f"line {n}\n" for n in range(100))
    finished = await toolbox(executor, shows(whole[:500], whole)).call("probe", {}, calls("c7"))
    assert (finished.truncated, finished.size) == (True, len(whole))
    assert finished.output.startswith(whole[:25])
    assert finished.output.endswith(whole[-75:])
    assert f"{len(whole) - 100} characters left out" in finished.output
    assert ".mooring/outputs/c7.txt" in finished.output
    assert finished.files == (".mooring/outputs/c7.txt",)
    assert (calls.workspace.tree / ".mooring/outputs/c7.txt").read_text() == whole
    assert calls.shown["c7"] == whole


async def test_an_output_that_cannot_be_kept_is_cut_all_the_same(
    calls: Calls, executor: ThreadPoolExecutor
) -> None:
    (calls.workspace.tree / ".mooring").write_text("in the way")
    finished = await toolbox(executor, shows("x" * 200)).call("probe", {}, calls())
    assert finished.truncated
    assert "100 characters left out ..." in finished.output
    assert finished.files == ()


async def test_a_cancelled_call_passes_the_cancellation_on_and_keeps_its_long_output(
    calls: Calls, executor: ThreadPoolExecutor
) -> None:
    sandbox = ScriptedSandbox("y" * 200, hangs=True)
    tools = Toolbox([Bash(sandbox, SandboxLimits())], executor, limit=100)
    running = asyncio.create_task(tools.call("bash", {"command": "yes"}, calls("c1")))
    await sandbox.started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert calls.shown["c1"] == "y" * 200
    assert (calls.workspace.tree / ".mooring/outputs/c1.txt").read_text() == "y" * 200
