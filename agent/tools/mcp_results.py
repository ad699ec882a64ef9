"""What a server of tools answered, as a result: words for the model, files for the workspace."""

import mimetypes
import re
from concurrent.futures import Executor
from urllib.parse import unquote, urlsplit

from agent.errors import Problem
from agent.protocol import CallId
from agent.sandbox.beneath import Beneath
from agent.sandbox.capacity import Capacity
from agent.sandbox.owner import Owner
from agent.sandbox.patience import Stop, blocking
from agent.sandbox.port import Workspace
from agent.sandbox.room import room_of
from agent.tools.mcp_port import Blob, Said
from agent.tools.port import Call, Outcome

MOST_FILES = 20
READ_ALONG = 4000
"""Characters of a text resource that are shown beside the file."""
_UNFIT = re.compile(r"[^\w.-]+")
_BY_KIND = {"image/jpeg": ".jpg", "text/plain": ".txt", "text/markdown": ".md"}


class Keeper:
    """Keeps images, sounds and resources as files of the session; `owner` may read them."""

    def __init__(self, capacity: Capacity, executor: Executor, owner: Owner | None) -> None:
        self._capacity = capacity
        self._executor = executor
        self._owner = owner

    async def outcome(self, said: Said, call: Call) -> Outcome:
        texts: list[str] = []
        files: list[str] = []
        for part in said.parts:
            if not isinstance(part, Blob):
                texts.append(part.text)
            elif len(files) == MOST_FILES:
                texts.append(f"[one more file was left out: {part.name}]")
            else:
                texts.append(await self._kept(part, call, files))
        output = "\n".join(texts) or "[no output]"
        return Outcome("error" if said.failed else "ok", output, files=tuple(files))

    async def _kept(self, blob: Blob, call: Call, files: list[str]) -> str:
        path = _path(call.id, len(files) + 1, blob)
        try:
            await blocking(
                self._executor, lambda stop: self._write(call.workspace, path, blob.data, stop)
            )
        except Problem as problem:
            return f"[{blob.name} was not kept: {problem.message}]"
        files.append(path)
        about = f"[{blob.media_type or 'file'}, {len(blob.data)} bytes, kept as {path}]"
        text = _readable(blob)
        return f"{about}\n{text}" if text else about

    def _write(self, workspace: Workspace, path: str, data: bytes, stop: Stop) -> None:
        tree = workspace.tree
        self._capacity.hold(room_of(tree, stop).bytes, len(data))
        self._capacity.spare(tree, len(data))
        _ = Beneath(tree, self._owner).write(path, data)


def _path(call: CallId, number: int, blob: Blob) -> str:
    """Of the server's name only what is harmless in one."""
    last = unquote(urlsplit(blob.name).path).rsplit("/", 1)[-1] if ":" in blob.name else blob.name
    name = _UNFIT.sub("_", last).strip("._")[-60:] or "file"
    kind = blob.media_type.partition(";")[0].strip().lower()
    ending = _BY_KIND.get(kind) or mimetypes.guess_extension(kind) or ""
    return f".mooring/mcp/{call}/{number}-{name}{'' if '.' in name else ending}"


def _readable(blob: Blob) -> str:
    if not blob.media_type.startswith("text/"):
        return ""
    text = blob.data[: READ_ALONG * 4].decode(errors="replace")
    return text if len(text) <= READ_ALONG else f"{text[:READ_ALONG]}\n[... read on in the file]"
