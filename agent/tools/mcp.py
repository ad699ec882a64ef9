"""Connections to servers of tools over the Model Context Protocol, by its SDK.

Only `mcp_pool` imports this, when a server is first needed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Literal

import mcp_types as types
import msgspec
from pydantic import ValidationError

from agent.errors import Problem
from agent.protocol import JsonObject
from agent.tools.mcp_bearer import Bearer, login_wanted
from agent.tools.mcp_child import spawn
from agent.tools.mcp_content import Page, pages_of, parts_of
from agent.tools.mcp_http import LARGEST_ANSWER, HttpFailure, http_client
from agent.tools.mcp_pipe import GONE, piped
from agent.tools.mcp_port import Hearing, Offered, Said, Signals
from agent.tools.mcp_sdk import (
    Client,
    ListenNotSupportedError,
    MCPError,
    SubscriptionLost,
    streamable_http_client,
)
from agent.tools.mcp_settings import Target
from agent.tools.port import Inquiry

log = logging.getLogger(__name__)

MOST_TOOLS = 128
MOST_PAGES = 20
_FAILURES = (MCPError, OSError, ValidationError, ValueError, RuntimeError, HttpFailure)
_hearing: ContextVar[Hearing | None] = ContextVar("hearing", default=None)
"""Of the call that this task makes: newer servers ask within it."""


@asynccontextmanager
async def opened(
    target: Target, signals: Signals, allow: Sequence[str] = ()
) -> AsyncIterator["Connection"]:
    """Implements Connect; `allow` are networks where the log-in of a server may be."""
    bearer = Bearer(target.login, signals.lost, allow) if target.oauth else None
    try:
        async with AsyncExitStack() as stack:
            if target.url is None:
                child = await spawn(target.name, target.command, target.environment)
                stack.push_async_callback(child.close)
                transport: Any = piped(child, signals)
            else:
                http = http_client(target.headers, target.patience, bearer)
                transport = streamable_http_client(
                    target.url,
                    http_client=await stack.enter_async_context(http),
                    max_sse_event_size=LARGEST_ANSWER,
                )
            yield await stack.enter_async_context(connected(target.name, transport, signals))
    except Problem:
        if bearer is not None and bearer.denied:
            raise login_wanted(target.name) from None
        raise


@asynccontextmanager
async def connected(
    name: str, transport: Any, signals: Signals, mode: Literal["auto", "legacy"] = "auto"
) -> AsyncIterator["Connection"]:
    """`transport` is whatever `Client` takes, also a server in this process."""
    calls = _Calls(name)

    async def on_message(message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            signals.changed()

    client = Client(
        transport,
        mode=mode,
        elicitation_callback=calls.ask,
        logging_callback=calls.log,
        log_level="info",
        message_handler=on_message,
        client_info=types.Implementation(name="mooring", version="1"),
        cache=None,
    )
    try:
        async with client:
            listening = asyncio.create_task(_listen(client, signals))
            try:
                yield Connection(name, client, calls, signals)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    except (ExceptionGroup, *_FAILURES, *GONE) as error:
        raise _unreachable(name, error) from None


class Connection:
    """Implements ToolServer."""

    def __init__(self, name: str, client: Client, calls: "_Calls", signals: Signals) -> None:
        self._name = name
        self._client = client
        self._calls = calls
        self._signals = signals

    async def tools(self) -> tuple[Offered, ...]:
        found: list[Offered] = []
        cursor: str | None = None
        try:
            for _ in range(MOST_PAGES):
                page = await self._client.list_tools(cursor=cursor)
                found += (_offered(tool) for tool in page.tools)
                cursor = page.next_cursor
                if cursor is None or len(found) >= MOST_TOOLS:
                    break
        except (*_FAILURES, *GONE) as error:
            raise _unreachable(self._name, error) from None
        if cursor is not None or len(found) > MOST_TOOLS:
            log.warning("the MCP server %s offers more than %d tools", self._name, MOST_TOOLS)
        return tuple(found[:MOST_TOOLS])

    async def call(self, tool: str, arguments: JsonObject, hearing: Hearing) -> Said:
        async def show(progress: float, total: float | None, message: str | None) -> None:
            hearing.show(_progress(progress, total, message))

        token = _hearing.set(hearing)
        try:
            with self._calls.during(hearing):
                result = await self._client.call_tool(tool, arguments, progress_callback=show)
        except MCPError as error:
            if error.code == types.URL_ELICITATION_REQUIRED:
                raise await self._opened_first(pages_of(error.data), hearing) from None
            raise self._failed(error) from None
        except (ExceptionGroup, *_FAILURES) as error:
            raise Problem("mcp_failed", f"{self._name} failed: {_first(error)}") from None
        except GONE:
            self._signals.lost()
            raise _lost(self._name) from None
        finally:
            _hearing.reset(token)
        whole = result.model_dump(mode="json", by_alias=True, include={"content"})
        return Said(parts_of(whole["content"], result.structured_content), result.is_error)

    async def _opened_first(self, pages: Sequence[Page], hearing: Hearing) -> Problem:
        asked = [Inquiry(self._name, page.message, {}, page.url) for page in pages]
        said = ", ".join([(await hearing.ask(one)).action for one in asked])
        wants = f"{self._name} wants a person to open a page first ({said})"
        return Problem("mcp_failed", f"{wants}. Call it again once they have done so.")

    def _failed(self, error: MCPError) -> Problem:
        if error.code == types.CONNECTION_CLOSED or "Session terminated" in str(error):
            self._signals.lost()
            return _lost(self._name)
        return Problem("mcp_failed", f"{self._name} failed: {str(error)[:2000]}")


class _Calls:
    """The calls that run on one connection. What cannot be said to belong to one is for none."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._running: list[Hearing] = []

    @property
    def _only(self) -> Hearing | None:
        return self._running[0] if len(self._running) == 1 else None

    @contextmanager
    def during(self, hearing: Hearing) -> Iterator[None]:
        self._running.append(hearing)
        try:
            yield
        finally:
            self._running[:] = [one for one in self._running if one is not hearing]

    async def log(self, params: types.LoggingMessageNotificationParams) -> None:
        if (only := self._only) is not None:
            data = params.data
            text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
            only.show(f"[{params.level}] {text}\n")

    async def ask(
        self, context: object, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """Older servers do not say for which of several calls they ask: then nobody is asked."""
        hearing = _hearing.get() or self._only
        if hearing is None:
            return types.ElicitResult(action="decline")
        if isinstance(params, types.ElicitRequestURLParams):
            inquiry = Inquiry(self._server, params.message, {}, params.url)
        else:
            inquiry = Inquiry(self._server, params.message, params.requested_schema)
        response = await hearing.ask(inquiry)
        return types.ElicitResult(action=response.action, content=response.content)


async def _listen(client: Client, signals: Signals) -> None:
    """Newer servers tell of changes only to who listens; a stream that breaks is the loss of it."""
    capable = client.server_capabilities.tools
    if capable is None or not capable.list_changed:
        return
    with suppress(ListenNotSupportedError, TimeoutError, *_FAILURES, *GONE):
        try:
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    signals.changed()
        except SubscriptionLost:
            signals.lost()


def _offered(tool: types.Tool) -> Offered:
    hints = tool.annotations
    says_read = hints is not None and hints.read_only_hint is True
    contradicts = hints is not None and hints.destructive_hint is True
    description = tool.description or (hints and hints.title) or tool.title or ""
    return Offered(tool.name, description, tool.input_schema, says_read and not contradicts)


def _progress(done: float, of: float | None, said: str | None) -> str:
    share = f"{done:g}/{of:g}" if of else f"{done:g}"
    return f"[{share}] {said}\n" if said else f"[{share}]\n"


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)[:500] or type(error).__name__


def _unreachable(name: str, error: BaseException) -> Problem:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Problem):
        return error
    return Problem("mcp_unreachable", f"The MCP server {name} cannot be reached: {_first(error)}")


def _lost(name: str) -> Problem:
    says = f"The connection to the MCP server {name} was lost while it worked"
    return Problem("mcp_lost", f"{says}. Check what it did before you try again.")
