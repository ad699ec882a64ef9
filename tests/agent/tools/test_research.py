"""The research tool: a question for a helper, who is offered the tools that may just read."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct, structs

from agent.protocol import Effect
from agent.sandbox.port import SandboxLimits
from agent.tools.files import file_tools
from agent.tools.plan import Plan
from agent.tools.port import Assignment, Call, Outcome, Stakes
from agent.tools.research import Research
from agent.tools.shell import Bash
from agent.tools.toolbox import Toolbox
from tests.agent.tools.calls import Calls, ScriptedSandbox


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    text: str = ""


class Mixed:
    """Reads or publishes, by what it is asked."""

    name = "mixed"
    description = "Reads or publishes."
    effect: Effect = "publish"
    arguments: type[Struct] = Words

    def stakes(self, arguments: Any) -> Stakes:
        return Stakes("read" if arguments.text else "publish")

    async def run(self, arguments: Any, call: Call) -> Outcome:
        return Outcome("ok", arguments.text)


def given(call: Call) -> tuple[list[Assignment], Call]:
    """What the helper is asked, and a call that has a helper."""
    asked: list[Assignment] = []

    async def study(assignment: Assignment, show: Callable[[str], None]) -> Outcome:
        asked.append(assignment)
        show("I look.\n")
        return Outcome("ok", "High at noon.", files=("tides.png",))

    return asked, structs.replace(call, study=study)


async def test_the_question_goes_to_the_helper_and_its_answer_is_the_result(
    executor: ThreadPoolExecutor, calls: Calls
) -> None:
    toolbox = Toolbox([Research()], executor)
    asked, call = given(calls())
    done = await toolbox.call("research", {"task": "When?", "context": "May."}, call)
    assert asked == [Assignment("When?", "May.")]
    assert (done.status, done.output, done.files) == (
        "ok",
        "I look.\nHigh at noon.",
        ("tides.png",),
    )


async def test_a_helper_has_no_helper(executor: ThreadPoolExecutor, calls: Calls) -> None:
    done = await Toolbox([Research()], executor).call("research", {"task": "When?"}, calls())
    assert (done.status, "no helper" in done.output) == ("error", True)


def test_tools_of_which_some_calls_read_are_offered_and_those_that_never_just_read_are_not(
    executor: ThreadPoolExecutor,
) -> None:
    limits = SandboxLimits()
    tools = (Bash(ScriptedSandbox(), limits), *file_tools(limits, executor), Plan())
    toolbox = Toolbox((*tools, Research(), Mixed()), executor)
    assert {tool.name for tool in toolbox.reading()} == {"read", "plan", "research", "mixed"}


async def test_a_helper_is_shown_less_of_a_long_output(
    executor: ThreadPoolExecutor, calls: Calls
) -> None:
    toolbox = Toolbox([Mixed()], executor, limit=200)
    short = await toolbox.call("mixed", {"text": "-" * 300}, calls(), 100)
    usual = await toolbox.call("mixed", {"text": "-" * 300}, calls("c2"))
    assert (short.output.count("-"), short.size, short.truncated) == (100, 300, True)
    assert usual.output.count("-") == 200
