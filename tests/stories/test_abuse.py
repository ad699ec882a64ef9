"""Bytes that no honest client sends, at a server that must answer right, or close, and go on."""

import asyncio
import base64
import gzip
import json
import os
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from tests.client import WITHIN
from tests.stories.scene import Story

OVERLAY = {"limits": {"upload_mib": 2}}
MIB = 1024 * 1024
HOST = b"Host: localhost\r\n"
DROWNED = 64 * MIB
"""More than any of these may cost, and much less than what they would inflate to."""


@asynccontextmanager
async def connected(
    story: Story,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    at = urlsplit(story.server.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def heard(reader: asyncio.StreamReader) -> bytes:
    """All until the server closes, be it with a reset."""
    pieces = bytearray()
    try:
        async with asyncio.timeout(WITHIN):
            while piece := await reader.read(65536):
                pieces += piece
    except ConnectionResetError:
        pass
    return bytes(pieces)


def memory(story: Story) -> int:
    pages = Path(f"/proc/{story.server.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptors(story: Story) -> int:
    return len(list(Path(f"/proc/{story.server.pid}/fd").iterdir()))


# ---- WebSocket ----------------------------------------------------------------------------------


def frame(head: int, payload: bytes, *, masked: bool = True, length: bytes | None = None) -> bytes:
    """`head` is the first byte: FIN, reserved bits, opcode."""
    bit = 0x80 if masked else 0
    if length is None:
        size = len(payload)
        short = bytes([bit | size]) if size < 126 else None
        length = short or bytes([bit | 126]) + struct.pack("!H", size)
    return bytes([head]) + length + (b"\0\0\0\0" if masked else b"") + payload


TEXT, FIN = 0x1, 0x80
PING = b'{"type":"ping","id":"p"}'
WRONG = {
    "a text without a mask": (frame(FIN | TEXT, PING, masked=False), {1002}),
    "a long text without a mask": (frame(FIN | TEXT, PING + b" " * 300, masked=False), {1002}),
    "a ping without a mask": (frame(FIN | 0x9, b"", masked=False), {1002}),
    "a close without a mask": (frame(FIN | 0x8, struct.pack("!H", 1000), masked=False), {1002}),
    "a text without a mask behind one that has it": (
        frame(FIN | TEXT, PING) + frame(FIN | TEXT, PING, masked=False),
        {1002},
    ),
    "reserved bits": (frame(FIN | 0x70 | TEXT, PING), {1002}),
    "a deflated frame that nobody agreed on": (frame(FIN | 0x40 | TEXT, PING), {1002}),
    "an opcode that is none": (frame(FIN | 0x3, PING), {1002}),
    "a control opcode that is none": (frame(FIN | 0xB, b""), {1002}),
    "a long ping": (frame(FIN | 0x9, b"x" * 126), {1002}),
    "a ping in pieces": (frame(0x9, b"x"), {1002}),
    "a continuation of nothing": (frame(FIN | 0x0, b"x"), {1002}),
    "a text within a text": (frame(TEXT, b"x") + frame(FIN | TEXT, b"y"), {1002}),
    "a text that is none": (frame(FIN | TEXT, b"\xff\xfe\xfd"), {1007}),
    "a length of the whole world": (
        frame(FIN | TEXT, b"x", length=b"\xff" + b"\x7f" + b"\xff" * 7),
        {1002, 1009},
    ),
    "a close code that is none": (frame(FIN | 0x8, struct.pack("!H", 999)), {1002}),
    "a close with half a code": (frame(FIN | 0x8, b"\x03"), {1002}),
    "a close whose reason is no text": (
        frame(FIN | 0x8, struct.pack("!H", 1000) + b"\xff\xff"),
        {1002, 1007},
    ),
    "pieces without end": (
        frame(TEXT, b"x") + (b"\x00\xff" + struct.pack("!Q", MIB) + b"\0\0\0\0" + b"x" * MIB) * 6,
        {1009},
    ),
}


async def close_code(story: Story, sent: bytes) -> int | None:
    """What the server closes with; None where it only cuts."""
    session = await story.api.session()
    key = base64.b64encode(b"0123456789abcdef")
    asked = (
        f"GET /api/sessions/{session}/socket HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    )
    async with connected(story) as (reader, writer):
        writer.write(asked.encode() + b"Sec-WebSocket-Key: " + key + b"\r\n\r\n")
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        async with asyncio.timeout(WITHIN):
            try:
                while True:
                    first, second = await reader.readexactly(2)
                    size = second & 0x7F
                    if size == 126:
                        (size,) = struct.unpack("!H", await reader.readexactly(2))
                    payload = await reader.readexactly(size)
                    if first & 0xF == 0x8:
                        return int(struct.unpack("!H", payload[:2])[0])
            except (asyncio.IncompleteReadError, ConnectionResetError):
                return None


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_websocket_that_breaks_the_protocol_is_closed_with_the_right_code(
    story: Story, wrong: str
) -> None:
    sent, codes = WRONG[wrong]
    assert await close_code(story, sent) in codes
    assert (await story.api.get("/healthz")).status == 200


# ---- HTTP ---------------------------------------------------------------------------------------

POST = b"POST /api/sessions HTTP/1.1\r\n" + HOST
SMUGGLED = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
AMBIGUOUS = {
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
    "two lengths in one": b"Content-Length: 2, 60\r\n\r\n{}",
    "a signed length": b"Content-Length: +2\r\n\r\n{}",
    "a length with a blank in it": b"Content-Length: 2 0\r\n\r\n{}",
    "an encoding that is not chunked at last": b"Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
    "an encoding that hides": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a header over two lines": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is none": b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a nul in a value": b"X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a bare carriage return": b"X-A: a\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("ambiguous", AMBIGUOUS)
async def test_what_two_readers_could_read_in_two_ways_is_refused_and_closed(
    story: Story, ambiguous: str
) -> None:
    """Nothing behind it on the same connection is taken for a request."""
    async with connected(story) as (reader, writer):
        writer.write(POST + AMBIGUOUS[ambiguous] + SMUGGLED)
        answer = await heard(reader)
    assert answer[9:12] == b"400", answer
    assert answer.count(b"HTTP/1.") == 1
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["error"]["code"] == "bad_request"


async def refused(story: Story, path: str, bomb: bytes, headers: dict[str, str]) -> bool:
    """Too large; who is still sending when it is cut off may not read that."""
    try:
        answer = await story.api.call(
            "POST", path, data=bomb, headers={**headers, "Connection": "close"}
        )
    except aiohttp.ClientConnectionError:
        return True
    return (answer.status, answer.code) == (413, "too_large")


async def test_a_small_body_that_inflates_to_a_huge_one_is_refused(story: Story) -> None:
    session, before = await story.api.session(), memory(story)
    bomb = gzip.compress(b"0" * 128 * MIB, 1)
    assert len(bomb) < MIB
    for path in ("/api/sessions", f"/api/sessions/{session}/submissions"):
        for coding, body in (("gzip", bomb), ("deflate", zlib.compress(b"0" * 128 * MIB, 1))):
            headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
            assert await refused(story, path, body, headers)
    assert memory(story) - before < DROWNED


async def test_a_small_upload_that_inflates_to_a_huge_one_is_refused(story: Story) -> None:
    session, before = await story.api.session(), memory(story)
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    bomb = gzip.compress(head + b"0" * 300 * MIB + b"\r\n--cut--\r\n", 9)
    headers = {
        "Content-Encoding": "gzip",
        "Content-Type": "multipart/form-data; boundary=cut",
    }
    path = f"/api/sessions/{session}/files"
    assert await refused(story, path, bomb, headers)
    assert (await story.api.good("GET", path))["files"] == []
    assert memory(story) - before < DROWNED


NAMES = [
    "invoice\u202egpj.exe",
    "раураl.py",  # in Cyrillic, where it looks Latin
    "zero\u200bwidth",
    "e\u0301 and \u00e9",
    "new\nline",
    'semi;colon="quote"',
    "percent%0d%0aX-Injected: 1",
    "🛟" * 60,
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_strange_name_is_kept_or_refused_and_never_becomes_a_header(
    story: Story, name: str
) -> None:
    session = await story.api.session()
    path = f"/api/sessions/{session}/files"
    head = f'Content-Disposition: form-data; name="file"; filename="{quote(name)}"\r\n'
    disposition = head if name.isascii() else head.replace("filename=", "filename*=UTF-8''", 1)
    body = f"--cut\r\n{disposition}\r\nx\r\n--cut--\r\n".replace("\"'", "'")
    kind = {"Content-Type": "multipart/form-data; boundary=cut"}
    answer = await story.api.call("POST", path, data=body.encode(), headers=kind)
    if answer.status != 201:
        assert answer.status == 400, answer
        return
    (stored,) = [file["path"] for file in (await story.api.good("GET", path))["files"]]
    got = await story.api.call("GET", f"{path}/{quote(stored, safe='')}")
    assert (got.status, got.body) == (200, b"x")
    shown = got.headers["content-disposition"]
    assert shown == f"attachment; filename*=UTF-8''{quote(stored)}"
    assert shown.isascii()
    assert "x-injected" not in got.headers


async def test_a_title_is_text_wherever_it_is_shown(story: Story) -> None:
    title = "a\r\nX-Injected: 1\r\n\r\n<script>\u202e\0"
    session = await story.api.session(title)
    assert (await story.api.look(session))["title"] == title.strip()
    for form in ("md", "jsonl"):
        answer = await story.api.get(f"/api/sessions/{session}/export", format=form)
        assert "x-injected" not in answer.headers
        assert answer.headers["content-disposition"] == f'attachment; filename="{session}.{form}"'


PATHS = [
    "/static/../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/static//etc/passwd",
    "/static/%00",
    "/api/sessions/%2e%2e/%2e%2e/etc/passwd",
    "/api/sessions/x/files/%2e%2e%2f%2e%2e%2fmooring.db",
    "//api/me",
    "/%61pi/sessions/x",
]


@pytest.mark.parametrize("path", PATHS)
async def test_no_path_leads_to_a_file_of_the_machine(story: Story, path: str) -> None:
    async with connected(story) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nConnection: close\r\n".encode() + HOST + b"\r\n")
        answer = await heard(reader)
    assert answer[9:12] in (b"400", b"404"), answer
    assert b"root:" not in answer


async def test_abuse_leaves_nothing_behind(story: Story) -> None:
    """Neither memory nor descriptors grow with the number of abusers."""
    some = [sent for sent, _ in WRONG.values() if len(sent) < 10_000]

    async def all_of_it() -> None:
        await asyncio.gather(*(close_code(story, sent) for sent in some))
        await story.tidy()

    await all_of_it()
    open_before, memory_before = descriptors(story), memory(story)
    for _ in range(4):
        await all_of_it()
    async with asyncio.timeout(WITHIN):
        while descriptors(story) > open_before + 8:  # noqa: ASYNC110 - nobody tells of a close
            await asyncio.sleep(0.05)
    assert memory(story) - memory_before < 48 * MIB
