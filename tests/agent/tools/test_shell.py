"""The bash tool tells the model how a command ended, and why it was stopped."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.port import Exit, SandboxLimits
from agent.tools.shell import Bash, BashArguments
from tests.agent.tools.calls import Calls, ScriptedSandbox

LIMITS = SandboxLimits()
ENDINGS = [
    (("all\n",), Exit(0), "ok", "all\n"),
    ((), Exit(0), "ok", "[no output]"),
    (("half",), Exit(2), "error", "half\n[exit code 2]"),
    (("line\n",), Exit(1), "error", "line\n[exit code 1]"),
    ((), Exit(1), "error", "[exit code 1]"),
    (("a",), Exit(-9, "timeout"), "error", "a\n[stopped: it ran for 7 s, its time limit]"),
    (("a",), Exit(0, "output"), "error", "a\n[stopped: it printed more than 16 MiB]"),
    (
        (),
        Exit(-9, "disk"),
        "error",
        "[stopped: the files grew beyond 5120 MiB, or the server's disk is nearly full]",
    ),
    ((), Exit(-9, "memory"), "error", "[stopped: it used more than 4096 MiB of memory]"),
    (
        (),
        Exit(-9, "processes"),
        "error",
        "[stopped: it started 256 processes or threads, the limit]",
    ),
]


@pytest.mark.parametrize(("printed", "ended", "status", "output"), ENDINGS)
async def test_the_last_line_says_how_a_command_ended(
    calls: Calls, printed: tuple[str, ...], ended: Exit, status: str, output: str
) -> None:
    bash = Bash(ScriptedSandbox(*printed, ends=ended), LIMITS)
    outcome = await bash.run(BashArguments("x", timeout=7), calls())
    assert (outcome.status, outcome.output) == (status, output)
    assert calls.shown["c1"] == "".join(printed)


async def test_a_command_has_four_minutes_unless_it_asks_for_more(calls: Calls) -> None:
    sandbox = ScriptedSandbox()
    await Bash(sandbox, LIMITS).run(BashArguments("one"), calls())
    await Bash(sandbox, LIMITS).run(BashArguments("two", timeout=1200), calls())
    assert sandbox.asked == [
        (("/bin/bash", "-c", "one"), 240),
        (("/bin/bash", "-c", "two"), 1200),
    ]


async def test_without_a_sandbox_nothing_runs_and_the_way_out_is_told(calls: Calls) -> None:
    sandbox = ScriptedSandbox(why_not="Install it: apt-get install bubblewrap")
    outcome = await Bash(sandbox, LIMITS).run(BashArguments("x"), calls())
    assert outcome.status == "error"
    assert "apt-get install bubblewrap" in outcome.output
    assert sandbox.asked == []


@pytest.mark.parametrize(
    ("command", "why"), [("a\0b", "NUL"), ("x" * 200_000, "200000 of at most 131071 bytes")]
)
async def test_a_command_that_bash_cannot_take_says_why(
    calls: Calls, command: str, why: str
) -> None:
    sandbox = ScriptedSandbox()
    outcome = await Bash(sandbox, LIMITS).run(BashArguments(command), calls())
    assert why in outcome.output
    assert sandbox.asked == []


async def test_a_real_command_changes_the_workspace(
    calls: Calls, executor: ThreadPoolExecutor
) -> None:
    sandbox = Bubblewrap(LIMITS, executor)
    if why_not := await sandbox.probe():
        pytest.skip(why_not)
    command = "echo héllo | tee made; echo oops >&2; exit 3"
    outcome = await Bash(sandbox, LIMITS).run(BashArguments(command), calls())
    assert outcome.output == "héllo\noops\n[exit code 3]"
    assert (calls.workspace.tree / "made").read_text() == "héllo\n"


async def test_the_longest_command_bash_takes_runs(
    calls: Calls, executor: ThreadPoolExecutor
) -> None:
    sandbox = Bubblewrap(LIMITS, executor)
    if why_not := await sandbox.probe():
        pytest.skip(why_not)
    command = "echo on #".ljust(131_071, "x")
    outcome = await Bash(sandbox, LIMITS).run(BashArguments(command), calls())
    assert outcome.output == "on\n"
