"""Tools that do their worst: the turn ends truthfully, and nothing of them outlives anything."""

import random
import shutil
from collections.abc import Sequence

from msgspec import Struct

from tests.client import new_id
from tests.faults.report import Report
from tests.faults.talk import AFTERWARDS, marks_on_disk
from tests.faults.trial import Trial, judge_log
from tests.model_server import CallScript, Reply
from tests.oracle import Frame
from tests.stories.scene import Story, bash, calls

CONFIG: Frame = {
    "sandbox": {
        "memory_mib": 256,
        "processes": 60,
        "file_mib": 16,
        "workspace_mib": 32,
        "output_mib": 2,
        "temporary_mib": 8,
    }
}
SECONDS = 1
"""What a command that would not end by itself is given."""
WITHIN = 180.0
FOR_EVER = "exec -a {marker} sleep 1000"


class Tool(Struct, frozen=True):
    """A command; `{marker}` in it is a word by which its processes are found."""

    name: str
    command: str

    def for_(self, trial: Trial) -> str:
        return self.command.replace("{marker}", trial.marker)


TOOLS = (
    Tool("a fork bomb", ":(){ :|:& };: # {marker}\nwhile :; do :; done"),
    Tool("a fork bomb that waits", "f(){ sleep 1000 & f & wait; }; f # {marker}"),
    Tool("a flood of output", "exec -a {marker} yes flood"),
    Tool("one line without an end", "tr '\\0' x < /dev/zero # {marker}"),
    Tool("binary output", "head -c 300000 /dev/urandom; " + FOR_EVER),
    Tool("ignored signals", "trap '' TERM INT HUP QUIT; : {marker}; while :; do sleep 1; done"),
    Tool(
        "children that get away",
        'for n in 1 2 3; do setsid bash -c \'(trap "" TERM HUP; exec -a {marker} sleep 1000)'
        " & disown' & done; sleep 0.1; echo away",
    ),
    Tool(
        "a child of a child",
        "python3 -c 'import os, time\nos.fork() and os._exit(0)\nos.setsid()\n"
        'os.fork() and os._exit(0)\nos.execlp("sleep", "{marker}", "1000")\'; echo away',
    ),
    Tool("closed output", "exec >&- 2>&-; " + FOR_EVER),
    Tool("output held by a child", "(" + FOR_EVER + ") & echo done"),
    Tool("the terminal", "stty sane < /dev/tty; cat /dev/tty; " + FOR_EVER),
    Tool("the workspace deleted", 'rm -rf "$PWD"/* "$PWD"/.[!.]* "$PWD"; echo x > y; ' + FOR_EVER),
    Tool("links instead of folders", "ln -s / root; ln -s .. up; ln -s loop loop; " + FOR_EVER),
    Tool("many files", "for n in {1..20000}; do : > f$n; done; " + FOR_EVER),
    Tool("a full workspace", "for n in 1 2 3 4; do head -c 15M /dev/zero > f$n; done; " + FOR_EVER),
    Tool("deep folders", "while mkdir d && cd d; do :; done 2>/dev/null; " + FOR_EVER),
    Tool("all that can be killed", "kill -9 -1; " + FOR_EVER),
    Tool("a stop of itself", "exec -a {marker} bash -c 'kill -STOP $$; sleep 1000'"),
    Tool(
        "much memory", "exec -a {marker} python3 -c 'x = [bytearray(1 << 20) for _ in range(999)]'"
    ),
)


async def misuse(
    story: Story, chance: random.Random, report: Report, tools: Sequence[Tool] = TOOLS
) -> None:
    """Each on a session of its own: to its end, and some under a server that is killed."""
    killed = set(chance.sample(tools, 3))
    for tool in tools:
        async with Trial(story.server, story.model, chance, report) as trial:
            await to_the_end(trial, tool)
            if tool in killed:
                await to_the_kill(trial, tool)
    async with Trial(story.server, story.model, chance, report) as trial:
        await a_workspace_taken_away(trial)
    await story.connect()


async def to_the_end(trial: Trial, tool: Tool) -> None:
    """Its time or its allowance runs out, or it ends; no process of it is left."""
    trial.report.tried["tools that do their worst"] += 1
    viewer = await trial.begin()
    viewer.connection.lagged = True
    marked = trial.mark(f"\n{tool.for_(trial)}", timeout=SECONDS)
    trial.model.play(calls(marked), Reply(text="So."))
    answer = await viewer.say("Do your worst")
    started = await viewer.until("turn_started", submission=answer["id"])
    ended = await viewer.until("turn_ended", turn=started["turn"], within=WITHIN)
    output = viewer.of("tool_output")[0]
    if ended["status"] != "completed" or output["status"] not in ("ok", "error"):
        trial.report.find("untrue", f"{tool.name}: {ended}, {output}")
    await trial.look_at_rubble()
    files = await trial.story.api.get(f"/api/sessions/{viewer.session}/files")
    if files.status != 200:
        trial.report.find("stuck", f"{tool.name}: {files}")
    if (again := await trial.story.turn(viewer, AFTERWARDS))["status"] != "completed":
        trial.report.find("stuck", f"{tool.name}: {again}")
    left = marks_on_disk(trial.server.data / "workspaces" / viewer.session)
    await viewer.accepted("undo")
    stored = await trial.stored(viewer)
    judge_log(trial.report, stored)
    while viewer.log.last < len(stored):
        await viewer.more()
    trial.report.seen(viewer.events, stored, whole=True)
    trial.report.effects(stored, left, None)
    trial.report.checked["sessions that went on"] += 1


async def to_the_kill(trial: Trial, tool: Tool) -> None:
    """The server is killed while it runs."""
    viewer = await trial.begin()
    viewer.connection.lagged = True
    trial.model.play(calls(bash(tool.for_(trial))))
    await viewer.say("Do your worst")
    await viewer.until("tool_started")
    await trial.instant(0.4)
    await trial.fail_power("while a tool does its worst")
    await trial.return_power()
    await trial.judge()


async def a_workspace_taken_away(trial: Trial) -> None:
    """By somebody else on the machine, under a command that runs; the others notice nothing."""
    trial.report.tried["workspaces taken away under a tool"] += 1
    viewer, other = await trial.begin(), await trial.begin()
    trial.model.play(calls(trial.for_ever()))
    await trial.send(viewer, "user_input", text="Work")
    await viewer.shows("running", "log")
    shutil.rmtree(trial.server.data / "workspaces" / viewer.session)
    await viewer.ask({"type": "interrupt", "id": new_id(), "queue": "drop"})
    await viewer.until("turn_ended", status="interrupted")
    trial.most[viewer.session].clear()
    write = CallScript("write", {"path": "new.txt", "content": "new"})
    for name in (viewer, other):
        trial.model.play(calls(write, bash("cat new.txt")), Reply(text="So."))
        ended = await trial.story.turn(name, "And now")
        assert ended["status"] == "completed", ended
    assert other.of("tool_output")[-1]["output"] == "new", other.of("tool_output")
