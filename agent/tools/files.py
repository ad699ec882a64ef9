"""The file tools: read, write and edit, in the workspace and through no link."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Annotated, Any

from msgspec import Meta, Struct

from agent.errors import Problem
from agent.protocol import Effect
from agent.sandbox.capacity import Capacity
from agent.sandbox.owner import Owner, sandbox_owner
from agent.sandbox.patience import Stop, blocking
from agent.sandbox.port import SandboxLimits
from agent.tools.desk import Desk
from agent.tools.editing import replace
from agent.tools.port import Call, Outcome, Tool

DEFAULT_LINES = 2000
MAX_LINE = 2000
PAGE = 24_000
"""Characters of one page: less than what would be cut in the middle."""

_Path = Annotated[str, Meta(min_length=1, description="Relative to the workspace.")]


class ReadArguments(Struct, frozen=True, forbid_unknown_fields=True):
    path: _Path
    offset: Annotated[int, Meta(ge=1, description="First line to read, from 1.")] = 1
    limit: Annotated[int, Meta(ge=1, description="How many lines.")] = DEFAULT_LINES


class WriteArguments(Struct, frozen=True, forbid_unknown_fields=True):
    path: _Path
    content: Annotated[str, Meta(description="All of the file.")]


class EditArguments(Struct, frozen=True, forbid_unknown_fields=True):
    path: _Path
    old: Annotated[str, Meta(description="The text to replace, as it is in the file.")]
    new: Annotated[str, Meta(description="The text to put there.")]
    all: Annotated[bool, Meta(description="Replace every place where `old` is.")] = False


def file_tools(
    limits: SandboxLimits, executor: Executor, owner: Owner | None = None
) -> tuple[Tool, ...]:
    """read, write and edit, which share what was read."""
    desk = Desk(Capacity(limits), owner or sandbox_owner())
    return Read(desk, executor), Write(desk, executor), Edit(desk, executor)


class _FileTool:
    """What the three have in common: they block, on an executor of their own."""

    def __init__(self, desk: Desk, executor: Executor) -> None:
        self._desk = desk
        self._executor = executor

    async def _blocking(self, work: Callable[[Stop], str]) -> Outcome:
        return Outcome("ok", await blocking(self._executor, work))


class Read(_FileTool):
    name = "read"
    description = (
        "Read a text file of the workspace. Lines are numbered, with a tab behind the number;"
        " number and tab are not part of the file. At most 2000 lines are given at a time, fewer"
        " when they are long: read on with `offset`. To list directories use bash."
    )
    effect: Effect = "read"
    arguments: type[Struct] = ReadArguments

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: ReadArguments = arguments
        tree = call.workspace.tree

        def work(_: Stop) -> str:
            text = self._desk.read(tree, asked.path).decode(errors="replace")
            return page(text, asked.offset, asked.limit)

        return await self._blocking(work)


class Write(_FileTool):
    name = "write"
    description = (
        "Write a whole file into the workspace; directories are made as needed. A file that"
        " exists must have been read first, and is replaced. To change a part of one, use edit."
    )
    effect: Effect = "write"
    arguments: type[Struct] = WriteArguments

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: WriteArguments = arguments
        tree = call.workspace.tree
        content = asked.content.encode(errors="replace")

        def work(stop: Stop) -> str:
            existed = self._desk.replace(tree, asked.path, content, stop)
            did = "Replaced" if existed else "Wrote"
            return f"{did} {asked.path}: {len(content)} bytes, {_count(asked.content)} lines."

        return await self._blocking(work)


class Edit(_FileTool):
    name = "edit"
    description = (
        "Replace a passage of a text file that you have read. `old` must be in the file exactly"
        " once, else quote more around it, or set `all` to replace every place. Differences in"
        " white space are forgiven where the passage is unique. Do not quote line numbers."
    )
    effect: Effect = "write"
    arguments: type[Struct] = EditArguments

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: EditArguments = arguments
        tree = call.workspace.tree

        def work(stop: Stop) -> str:
            text = _text(self._desk.read_again(tree, asked.path), asked.path)
            edited = replace(text, asked.old, asked.new, all=asked.all)
            self._desk.replace(tree, asked.path, edited.text.encode(errors="replace"), stop)
            where = ", ".join(str(line) for line in edited.lines[:20])
            loosely = "" if edited.exact else " White space was taken from the file."
            return f"Edited {asked.path} at line {where}.{loosely}"

        return await self._blocking(work)


def page(text: str, offset: int, limit: int) -> str:
    """Numbered lines from `offset` on, as many as fit, and where to read on. Pure."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not lines:
        return "[the file is empty]"
    if offset > len(lines):
        raise Problem("bad_offset", f"The file has only {len(lines)} lines.")
    shown: list[str] = []
    room = PAGE
    for number, line in enumerate(lines[offset - 1 : offset - 1 + limit], offset):
        numbered = f"{number:>6}\t{_shortened(line.removesuffix(chr(13)))}\n"
        if shown and len(numbered) > room:
            break
        room -= len(numbered)
        shown.append(numbered)
    last = offset - 1 + len(shown)
    if last < len(lines):
        shown.append(f"[lines {offset} to {last} of {len(lines)}; read on with offset {last + 1}]")
    return "".join(shown)


def _text(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Problem("not_text", f"{path} is not UTF-8 text. Change it with bash.") from None


def _shortened(line: str) -> str:
    if len(line) <= MAX_LINE:
        return line
    return f"{line[:MAX_LINE]} [... {len(line) - MAX_LINE} more characters]"


def _count(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and bool(text))
