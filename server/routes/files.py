"""A session's workspace over HTTP: files in, their list, files out; never through a link."""

from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from aiohttp import BodyPartReader, MultipartReader, StreamReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Struct

from agent.sandbox.beneath import Beneath, Listed
from agent.sandbox.patience import to_the_end
from agent.sandbox.workspace import SessionWorkspace
from server.errors import Refusal, bad_request
from server.keys import ARCHIVE, LIMITS, WORKSPACES
from server.routes.answers import json
from server.sessions.workspaces import Workspaces

MOST_LISTED = 10_000
MOST_UPLOADED = 100
PIECE = 256 * 1024
MOST_LINES_BEFORE = 8
"""Lines before the first part."""
MIB = 1024 * 1024


class FileEntry(Struct, frozen=True):
    path: str
    size: int
    modified: str


class FileList(Struct, frozen=True):
    files: list[FileEntry]


async def listed(request: web.Request) -> web.Response:
    files = request.app[WORKSPACES]
    beneath = await request.app[ARCHIVE].files(request.match_info["id"])
    found = await files.blocking(lambda: beneath.files(MOST_LISTED))
    return json(FileList([_entry(file) for file in found]))


async def uploaded(request: web.Request) -> web.Response:
    """Parts `file` go into the workspace's root, replacing what has their names: all or none."""
    if not request.content_type.startswith("multipart/"):
        raise bad_request("Send multipart/form-data with a part `file`.")
    files, workspace = request.app[WORKSPACES], request.app[WORKSPACES].of(request.match_info["id"])
    beneath = await request.app[ARCHIVE].files(request.match_info["id"])
    try:
        async with Upload(
            beneath, files, request.app[LIMITS].upload_mib * MIB, workspace
        ) as upload:
            async for part in _parts(request):
                if not isinstance(part, BodyPartReader):
                    raise bad_request("There are parts within a part of the body.")
                if part.name == "file":
                    await upload.take(part)
                else:
                    await upload.pass_over(part)
            await upload.place()
    except (ValueError, AssertionError, HttpProcessingError) as error:
        raise bad_request(f"The multipart body cannot be read: {error}.") from None
    found = await files.blocking(lambda: [(n, beneath.stat(n)) for n in sorted(upload.names)])
    entries = [Listed(name, at.st_size, at.st_mtime_ns) for name, at in found if at is not None]
    return json(FileList([_entry(entry) for entry in entries]), 201)


async def downloaded(request: web.Request) -> web.StreamResponse:
    path, files = request.match_info["path"], request.app[WORKSPACES]
    beneath = await request.app[ARCHIVE].files(request.match_info["id"])
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


class Prompt:
    """A body whose parts begin soon: aiohttp goes line by line through all that stands before,
    and lets nobody else have a turn meanwhile."""

    def __init__(self, content: StreamReader) -> None:
        self._content = content
        self._lines = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def readline(self, **limits: Any) -> bytes:
        line = await self._content.readline(**limits)
        if self._lines <= MOST_LINES_BEFORE:
            self._lines = MOST_LINES_BEFORE + 1 if line.startswith(b"--") else self._lines + 1
            if self._lines > MOST_LINES_BEFORE and not line.startswith(b"--"):
                raise ValueError("its parts do not begin where they should")
        return line


class Upload:
    """Files that take their places together when the body was read to its end.

    Without `place` nothing is left of them.
    """

    def __init__(
        self, beneath: Beneath, files: Workspaces, most: int, workspace: SessionWorkspace
    ) -> None:
        self.names: set[str] = set()
        self._workspace = workspace
        self._used = 0
        self._passed = 0
        self._beneath = beneath
        self._files = files
        self._most = most
        self._size = 0
        self._drafts = ExitStack()

    async def __aenter__(self) -> "Upload":
        self._used = await self._files.used(self._workspace)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end = partial(self._drafts.__exit__, kind, error, trace)
        await to_the_end(self._files.blocking(end))

    async def take(self, part: BodyPartReader) -> None:
        name = part.filename or ""
        if not name or "/" in name or "\\" in name:
            raise Refusal(400, "bad_path", f"{name[:200]!r} cannot be the name of a file here.")
        if name in self.names or len(self.names) >= MOST_UPLOADED:
            raise bad_request(f"One upload has at most {MOST_UPLOADED} files, each name once.")
        self.names.add(name)
        draft = self._beneath.replacing(name)
        file = await self._files.blocking(lambda: self._drafts.enter_context(draft))
        while piece := await part.read_chunk(PIECE):
            self._count(piece, name)
            await self._files.blocking(partial(self._write, file, piece))

    async def pass_over(self, part: BodyPartReader) -> None:
        """What is no file costs as much as one."""
        self._passed += 1
        if self._passed > MOST_UPLOADED:
            raise bad_request(f"One upload has at most {MOST_UPLOADED} parts besides its files.")
        while piece := await part.read_chunk(PIECE):
            self._count(piece, part.name or "")

    async def place(self) -> None:
        """What was uploaded at the same time counts, too."""
        if not self.names:
            raise bad_request("There is no part `file` with a file name in the body.")
        self._files.capacity.hold(await self._files.used(self._workspace), 0)
        await to_the_end(self._workspace.adopt(self.names, self._drafts.close))

    def _count(self, piece: bytes, name: str) -> None:
        self._size += len(piece)
        if self._size > self._most:
            most = f"{self._most // MIB} MiB, the most allowed at once"
            raise Refusal(413, "too_large", f"With {name[:200]!r} it is more than {most}.")

    def _write(self, file: BinaryIO, piece: bytes) -> None:
        self._files.capacity.hold(self._used, self._size)
        self._files.capacity.spare(self._workspace.tree, len(piece))
        file.write(piece)


def _parts(request: web.Request) -> MultipartReader:
    return MultipartReader(request.headers, cast(StreamReader, Prompt(request.content)))


def _entry(file: Listed) -> FileEntry:
    modified = datetime.fromtimestamp(file.modified_ns / 1e9, UTC)
    shown = modified.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return FileEntry(file.path, file.size, shown)
