"""A server of tools as people write them, with the SDK: over stdio, or over HTTP at a free port."""

import asyncio
import base64
import os
import sys
import warnings
from typing import Annotated

import uvicorn
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import BaseModel

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
workshop = MCPServer("workshop", log_level="WARNING")  # else it makes all of a process log


class Point(BaseModel):
    x: int
    y: int


class Name(BaseModel):
    name: str


@workshop.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@workshop.tool()
def publish(text: str) -> str:
    """Publish a text."""
    return f"published {text}"


@workshop.tool()
def point() -> Point:
    return Point(x=1, y=2)


@workshop.tool(annotations=ToolAnnotations(read_only_hint=True))
def picture() -> Image:
    return Image(data=PNG, format="png")


@workshop.tool(annotations=ToolAnnotations(read_only_hint=True))
def papers() -> CallToolResult:
    note = "file:///notes/a%20note.md"
    text = TextResourceContents(uri=note, mime_type="text/markdown", text="# Hi")
    data = base64.b64encode(b"\0\1").decode()
    blob = BlobResourceContents(uri="x://y/../../etc/passwd", blob=data)
    return CallToolResult(
        content=[
            TextContent(type="text", text="two papers"),
            EmbeddedResource(type="resource", resource=text),
            EmbeddedResource(type="resource", resource=blob),
        ]
    )


@workshop.tool()
def fail() -> str:
    raise ValueError("no such thing")


@workshop.tool()
async def steps(ctx: Context) -> str:
    await ctx.report_progress(1, 2, "half")
    with warnings.catch_warnings(action="ignore"):  # deprecated, and in use
        await ctx.info("a word")
    return "all"


@workshop.tool()
async def wait(ctx: Context) -> str:
    await ctx.report_progress(0, None, "waiting")
    await asyncio.Event().wait()
    return "never"


def who() -> Elicit[Name]:
    return Elicit("Who?", Name)


@workshop.tool()
async def ask(found: Annotated[ElicitationResult[Name], Resolve(who)]) -> str:
    return found.data.name if isinstance(found, AcceptedElicitation) else found.action


@workshop.tool(annotations=ToolAnnotations(read_only_hint=True))
async def wonder(found: Annotated[ElicitationResult[Name], Resolve(who)]) -> str:
    return found.action


@workshop.tool()
def whoami(ctx: Context) -> str:
    headers = ctx.headers or {}
    return f"{os.environ.get('HF_TOKEN')} {headers.get('authorization')}"


@workshop.tool()
async def grow(ctx: Context) -> str:
    workshop.add_tool(lambda: "new", name="grown")
    await ctx.notify_tools_changed()
    return "grown"


async def serve() -> None:
    """Prints its port when it listens."""
    config = uvicorn.Config(workshop.streamable_http_app(), port=0, log_level="critical")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        asyncio.run(serve())
    else:
        workshop.run()
