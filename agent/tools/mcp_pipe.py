"""The pipes of a server of tools that was started here, as the SDK wants them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types as types

from agent.errors import Problem
from agent.tools.mcp_child import Child
from agent.tools.mcp_port import Signals
from agent.tools.mcp_sdk import SessionMessage

log = logging.getLogger(__name__)

MOST_STRANGE_LINES = 1000
"""Lines of a child in a row that are no messages, before it is given up."""
GONE = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)


@asynccontextmanager
async def piped(child: Child, signals: Signals) -> AsyncIterator[Any]:
    """A child's pipes as the SDK wants them; its own have no limit on the length of a line."""
    incoming, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, outgoing = anyio.create_memory_object_stream[SessionMessage](0)

    tasks = [
        asyncio.create_task(_read(child, incoming, signals)),
        asyncio.create_task(_write(child, outgoing, incoming)),
    ]
    try:
        yield read_stream, write_stream
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (incoming, read_stream, write_stream, outgoing):
            stream.close()


async def _read(child: Child, incoming: Any, signals: Signals) -> None:
    strange = 0
    try:
        async with incoming:
            async for line in child.lines():
                if (message := _message(line)) is None:
                    strange += 1  # a server that prints what belongs into its log
                    if strange > MOST_STRANGE_LINES:
                        raise Problem("mcp_garbled", "What it says is no JSON-RPC.")
                    continue
                strange = 0
                await incoming.send(message)
    except (Problem, *GONE) as problem:
        log.info("the MCP server %s is not read on: %s", child.name, problem)
    finally:
        signals.lost()


def _message(line: bytes) -> SessionMessage | None:
    """Raises Problem where it means to be one, and cannot be read: somebody waits for it."""
    try:
        return SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        if b'"jsonrpc"' in line:
            raise Problem("mcp_garbled", "A message of it cannot be read.") from None
        return None


async def _write(child: Child, outgoing: Any, incoming: Any) -> None:
    try:
        async with outgoing:
            async for sent in outgoing:
                text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
                await child.write(text.encode(errors="replace") + b"\n")
    except (ConnectionError, *GONE):
        incoming.close()
