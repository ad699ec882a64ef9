"""The reference: a bare aiohttp relay that keeps nothing and sends a frame for each chunk."""

import asyncio
import sys

import aiohttp
import msgspec
from aiohttp import web
from msgspec import Struct


class Delta(Struct):
    content: str | None = None


class Choice(Struct):
    delta: Delta


class Chunk(Struct):
    choices: list[Choice]


class TextDelta(Struct, tag="text_delta", tag_field="type"):
    text: str


REQUEST = {"model": "m", "stream": True, "tools": [{}], "messages": []}
decode = msgspec.json.Decoder(Chunk).decode
encode = msgspec.json.Encoder().encode


async def main(model_url: str) -> None:
    async def relayed(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        async for _ in ws:
            async with http.post(f"{model_url}/chat/completions", json=REQUEST) as response:
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        chunk = decode(line[6:])
                        if chunk.choices and (text := chunk.choices[0].delta.content):
                            await ws.send_str(encode(TextDelta(text)).decode())
            await ws.send_str('{"type":"turn_ended"}')
        return ws

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        app = web.Application()
        app.router.add_get("/socket", relayed)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"relay on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
