"""All tools under one roof: what the model is told, what is valid, what came of a call."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

from agent.conversation import ToolSchema
from agent.errors import Problem
from agent.protocol import JsonObject, PlanItem
from agent.sandbox.beneath import Beneath
from agent.sandbox.owner import Owner
from agent.sandbox.patience import blocking, to_the_end
from agent.tools.port import (
    Call,
    Foreign,
    Informed,
    Keys,
    Launched,
    News,
    Outcome,
    Source,
    Stakes,
    Tool,
    Weighed,
)
from agent.tools.printed import OUTPUT_LIMIT, Printed, kept_at
from agent.tools.schema import schema_of

__all__ = ["Finished", "Printed", "Toolbox", "kept_at"]
log = logging.getLogger(__name__)


class Finished(Struct, frozen=True):
    """A call's end as the log has it: `output` is cut, `size` counts the characters it had."""

    status: Literal["ok", "error"]
    output: str
    truncated: bool
    size: int
    plan: tuple[PlanItem, ...] | None = None
    files: tuple[str, ...] = ()
    job: Launched | None = None


class Toolbox:
    """`executor` saves outputs that are too long to show, for `owner` to read.

    The tools of `source` may be others from one moment to the next, but never take the name of one
    that is always there.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        executor: Executor,
        *,
        owner: Owner | None = None,
        limit: int = OUTPUT_LIMIT,
        source: Source | None = None,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._source = source
        self._executor = executor
        self._owner = owner
        self._limit = limit
        self._schemas = tuple(
            ToolSchema(tool.name, tool.description, schema_of(tool.arguments)) for tool in tools
        )

    def joined_by(self, source: Source) -> "Toolbox":
        """The same with more tools."""
        tools = tuple(self._tools.values())
        return Toolbox(tools, self._executor, owner=self._owner, limit=self._limit, source=source)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self._tools, *self._foreign)

    async def news(self) -> tuple[News, ...]:
        """What the session is to be told before the model is asked again; see Source."""
        return () if self._source is None else await self._source.news()

    def schemas(self) -> tuple[ToolSchema, ...]:
        """As of now: ask again for each request."""
        foreign = self._foreign.values()
        more = (ToolSchema(tool.name, tool.description, tool.schema) for tool in foreign)
        return (*self._schemas, *more)

    def reading(self) -> tuple[ToolSchema, ...]:
        """Of the tools of which some calls at least change nothing."""
        return tuple(schema for schema in self.schemas() if self._may_read(schema.name))

    def _may_read(self, name: str) -> bool:
        tool = self._find(name)
        if tool is None or isinstance(tool, Foreign) or not isinstance(tool, Weighed):
            return tool is not None and tool.effect == "read"
        return True

    @property
    def _foreign(self) -> Mapping[str, Foreign]:
        if self._source is None:
            return {}
        return {tool.name: tool for tool in self._source.tools() if tool.name not in self._tools}

    def _find(self, name: str) -> Tool | Foreign | None:
        return self._tools.get(name) or self._foreign.get(name)

    def stakes(self, name: str, arguments: JsonObject) -> Stakes:
        """Of an unknown tool: read, for it does nothing, but where tools come and go it may be
        there a moment later: publish. Of wrong arguments: the gravest."""
        tool = self._find(name)
        if tool is None:
            return Stakes("read" if self._source is None else "publish")
        if isinstance(tool, Foreign) or not isinstance(tool, Weighed):
            return Stakes(tool.effect)
        try:
            return tool.stakes(_arguments(tool, arguments))
        except msgspec.ValidationError:
            return Stakes(tool.effect)

    async def learn(self, names: Iterable[str], keys: Keys) -> None:
        """What the stakes of these tools depend on, before `stakes` is asked for them."""
        wanted = set(names)
        for tool in self._tools.values():
            if tool.name in wanted and isinstance(tool, Informed):
                await tool.learn(keys)

    def check(self, name: str, arguments: JsonObject) -> str | None:
        """What is wrong with a call, said so that the model can mend it; None: nothing."""
        tool = self._find(name)
        if tool is None:
            return f"There is no tool {name!r}. The tools are: {', '.join(self.names)}."
        if isinstance(tool, Foreign):
            wrong = tool.wrong(arguments)
            return f"The arguments of {name} are not valid: {wrong}." if wrong else None
        try:
            _arguments(tool, arguments)
        except msgspec.ValidationError as error:
            return f"The arguments of {name} are not valid: {error}. {_takes(tool)}"
        return None

    async def call(
        self, name: str, arguments: JsonObject, call: Call, limit: int | None = None
    ) -> Finished:
        """Run a tool. Raises nothing but CancelledError. `limit` goes before that of all calls.

        All of the output was passed to `call.show`, once and in order, when this returns.
        """
        shown = _Shown(call, limit or self._limit)
        try:
            outcome = await self._outcome(name, arguments, shown.call)
        except asyncio.CancelledError:
            await to_the_end(self._keep(shown.text, shown.printed, call))
            raise
        whole = shown.complete(outcome.output)
        kept = await self._keep(whole, shown.printed, call)
        output, truncated = shown.printed.cut(kept)
        return Finished(
            status=outcome.status,
            output=output,
            truncated=truncated,
            size=len(whole),
            plan=outcome.plan,
            files=outcome.files if kept is None else (kept, *outcome.files),
            job=outcome.job,
        )

    async def _outcome(self, name: str, arguments: JsonObject, call: Call) -> Outcome:
        """A failure of a tool is a result (one of the four broad excepts)."""
        try:
            if wrong := self.check(name, arguments):
                return Outcome("error", wrong)
            tool = self._find(name)
            assert tool is not None, "checked just before"
            if isinstance(tool, Foreign):
                return await tool.run(arguments, call)
            return await tool.run(_arguments(tool, arguments), call)
        except Problem as problem:
            return Outcome("error", problem.message)
        except Exception:
            log.exception("the tool %s failed", name)
            return Outcome("error", f"The tool {name} failed inside. This is not your mistake.")

    async def _keep(self, whole: str, printed: Printed, call: Call) -> str | None:
        """Save an output that has to be cut; returns its path in the workspace."""
        if not printed.truncated:
            return None
        path = kept_at(call.id)
        try:
            files = Beneath(call.workspace.tree, self._owner)
            content = whole.encode(errors="replace")
            await blocking(self._executor, lambda _: files.write(path, content))
        except Problem as problem:
            log.warning("an output was not kept: %s", problem.message)
            return None
        return path


class _Shown:
    """What a call showed while it ran, so that its result can be told from it."""

    def __init__(self, call: Call, limit: int) -> None:
        self.printed = Printed(limit)
        self.call = structs.replace(call, show=self._show)
        self._pieces: list[str] = []
        self._show_on = call.show

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def complete(self, output: str) -> str:
        """Show what `output` says beyond what was shown; the whole."""
        text = self.text
        if output.startswith(text):
            rest = output[len(text) :]
        else:
            rest = output if text.endswith("\n") else f"\n{output}"
        if rest:
            self._show(rest)
        return text + rest

    def _show(self, text: str) -> None:
        self._pieces.append(text)
        self.printed.add(text)
        self._show_on(text)


def _arguments(tool: Tool, arguments: JsonObject) -> Any:
    return msgspec.convert(arguments, tool.arguments, strict=True)


def _takes(tool: Tool) -> str:
    fields = msgspec.structs.fields(tool.arguments)
    required = [field.name for field in fields if field.required]
    optional = [field.name for field in fields if not field.required]
    takes = f"It takes {', '.join(required)}"
    return f"{takes}; optionally {', '.join(optional)}." if optional else f"{takes}."
