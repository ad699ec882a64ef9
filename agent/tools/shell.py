"""The bash tool: commands in the session's sandbox."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from agent.protocol import Effect
from agent.sandbox.port import Exit, Sandbox, SandboxLimits
from agent.tools.port import Call, Outcome

DEFAULT_SECONDS = 240
MAX_SECONDS = 1200
MAX_COMMAND = 128 * 1024 - 1
"""Bytes that Linux takes in one argument of a program."""


class BashArguments(Struct, frozen=True, forbid_unknown_fields=True):
    command: Annotated[str, Meta(min_length=1, description="Run by bash, in the workspace.")]
    description: Annotated[
        str | None, Meta(description="What it does, in five to ten words, for the user.")
    ] = None
    timeout: Annotated[
        float, Meta(gt=0, le=MAX_SECONDS, description="Seconds until it is stopped.")
    ] = DEFAULT_SECONDS


class Bash:
    name = "bash"
    effect: Effect = "execute"
    arguments: type[Struct] = BashArguments

    def __init__(self, sandbox: Sandbox, limits: SandboxLimits) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self.description = (
            "Run a bash command in the workspace, your current directory (/workspace). Its files"
            " stay; everything else is gone when the command ends, background processes included:"
            " nothing can be left running. There is no network, no root, no terminal, and stdin is"
            f" empty. Limits: {limits.memory_mib} MiB memory, {limits.processes} processes,"
            f" {limits.workspace_mib} MiB of files, {limits.temporary_mib} MiB in /tmp."
            " Long output is cut in the middle; the whole is then kept in a file that is named."
        )

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: BashArguments = arguments
        if wrong := _unusable(asked.command):
            return Outcome("error", wrong)
        if why_not := await self._sandbox.probe():
            return Outcome("error", f"Commands cannot run on this server. {why_not}")
        shown: list[str] = []

        def show(text: str) -> None:
            shown.append(text)
            call.show(text)

        ended = await self._sandbox.run(
            ("/bin/bash", "-c", asked.command.encode(errors="replace").decode()),
            workspace=call.workspace.tree,
            timeout=asked.timeout,
            show=show,
        )
        printed = "".join(shown)
        note = self._note(ended, asked.timeout, printed)
        if note and printed and not printed.endswith("\n"):
            note = f"\n{note}"
        return Outcome("error" if ended.code or ended.cut else "ok", printed + note)

    def _note(self, ended: Exit, timeout: float, printed: str) -> str:
        limits = self._limits
        match ended.cut:
            case "timeout":
                return f"[stopped: it ran for {timeout:g} s, its time limit]"
            case "output":
                return f"[stopped: it printed more than {limits.output_mib} MiB]"
            case "disk":
                most = f"the files grew beyond {limits.workspace_mib} MiB"
                return f"[stopped: {most}, or the server's disk is nearly full]"
            case "memory":
                return f"[stopped: it used more than {limits.memory_mib} MiB of memory]"
            case "processes":
                return f"[stopped: it started {limits.processes} processes or threads, the limit]"
            case None if ended.code:
                return f"[exit code {ended.code}]"
            case None:
                return "" if printed else "[no output]"


def _unusable(command: str) -> str | None:
    if "\0" in command:
        return "The command holds a NUL character, which bash cannot take."
    if (size := len(command.encode(errors="replace"))) > MAX_COMMAND:
        says = f"The command has {size} of at most {MAX_COMMAND} bytes"
        return f"{says}. Write it to a file with write, then run that."
    return None
