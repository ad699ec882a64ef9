"""A session's workspace over HTTP: files in, their list, files out; never through a link."""

from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from aiohttp import BodyPartReader, hdrs, web
from msgspec import Struct

from agent.sandbox.beneath import Beneath, Listed
from server.errors import Refusal, bad_request
from server.keys import LIMITS, WORKSPACES
from server.routes.answers import json
from server.sessions.workspaces import Workspaces

MOST_LISTED = 10_000
PIECE = 256 * 1024
MIB = 1024 * 1024


class FileEntry(Struct, frozen=True):
    path: str
    size: int
    modified: str


class FileList(Struct, frozen=True):
    files: list[FileEntry]


async def listed(request: web.Request) -> web.Response:
    files = request.app[WORKSPACES]
    beneath = await files.beneath(request.match_info["id"])
    found = await files.blocking(lambda: beneath.files(MOST_LISTED))
    return json(FileList([_entry(file) for file in found]))


async def uploaded(request: web.Request) -> web.Response:
    """Every part `file` goes into the workspace's root, replacing what has its name."""
    if not request.content_type.startswith("multipart/"):
        raise bad_request("Send multipart/form-data with a part `file`.")
    files, names = request.app[WORKSPACES], []
    beneath = await files.beneath(request.match_info["id"])
    most = request.app[LIMITS].upload_mib * MIB
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                names.append(await _take(part, beneath, files, most))
    except ValueError as error:
        raise bad_request(f"The multipart body cannot be read: {error}.") from None
    if not names:
        raise bad_request("There is no part `file` with a file name in the body.")
    found = await files.blocking(lambda: beneath.files(MOST_LISTED))
    return json(FileList([_entry(file) for file in found if file.path in names]), 201)


async def downloaded(request: web.Request) -> web.StreamResponse:
    path, files = request.match_info["path"], request.app[WORKSPACES]
    beneath = await files.beneath(request.match_info["id"])
    file = await files.blocking(lambda: beneath.open(path))
    try:
        response = web.StreamResponse()
        response.content_type = "application/octet-stream"
        name = quote(path.rsplit("/", 1)[-1])
        response.headers[hdrs.CONTENT_DISPOSITION] = f"attachment; filename*=UTF-8''{name}"
        await response.prepare(request)
        while piece := await files.blocking(lambda: file.read(PIECE)):
            await response.write(piece)
        await response.write_eof()
        return response
    finally:
        file.close()


async def _take(part: BodyPartReader, beneath: Beneath, files: Workspaces, most: int) -> str:
    """Write one part to its file, whole or not at all; its name."""
    name = part.filename or ""
    if not name or "/" in name or "\\" in name:
        raise Refusal(400, "bad_path", f"{name!r} cannot be the name of a file here.")
    size = 0
    with beneath.replacing(name) as file:
        while piece := await part.read_chunk(PIECE):
            size += len(piece)
            if size > most:
                raise Refusal(
                    413,
                    "too_large",
                    f"{name!r} is larger than {most // MIB} MiB, the most allowed.",
                )
            await files.blocking(partial(file.write, piece))
    return name


def _entry(file: Listed) -> FileEntry:
    modified = datetime.fromtimestamp(file.modified_ns / 1e9, UTC)
    shown = modified.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return FileEntry(file.path, file.size, shown)
