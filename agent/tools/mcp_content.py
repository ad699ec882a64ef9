"""What a server of tools answered, as words and files: its JSON, read without trust."""

from collections.abc import Iterable
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from agent.protocol import JsonObject
from agent.tools.mcp_port import Blob, Part, Words

MOST_PAGES = 5


class _Content(Struct, frozen=True, tag_field="type"): ...


class _Text(_Content, frozen=True, tag="text"):
    text: str


class _Picture(_Content, frozen=True, tag="image"):
    data: bytes
    mimeType: str


class _Sound(_Content, frozen=True, tag="audio"):
    data: bytes
    mimeType: str


class _Link(_Content, frozen=True, tag="resource_link"):
    uri: str
    name: str
    description: str | None = None


class _Kept(Struct, frozen=True):
    uri: str
    mimeType: str | None = None
    text: str | None = None
    blob: bytes | None = None


class _Resource(_Content, frozen=True, tag="resource"):
    resource: _Kept


_Known = _Text | _Picture | _Sound | _Link | _Resource


def parts_of(contents: Iterable[Any], structured: JsonObject | None) -> tuple[Part, ...]:
    """`structured` is told where no words are: servers say the same in both."""
    parts = [_part(content) for content in contents]
    if structured is not None and not any(isinstance(part, Words) for part in parts):
        parts.append(Words(msgspec.json.encode(structured).decode()))
    return tuple(parts)


class Page(Struct, frozen=True):
    """One that a person has to open before a call can be made."""

    message: str
    url: str


class _Pages(Struct, frozen=True):
    elicitations: tuple[Page, ...]


def pages_of(data: Any) -> tuple[Page, ...]:
    """What comes with the error that asks for them; none where it cannot be read."""
    try:
        return msgspec.convert(data, _Pages).elicitations[:MOST_PAGES]
    except msgspec.ValidationError:
        return ()


def _part(content: Any) -> Part:
    try:
        known: _Known = msgspec.convert(content, _Known)
    except msgspec.ValidationError as error:
        return Words(f"[a part of the answer cannot be read: {error}]")
    match known:
        case _Text(said):
            return Words(said)
        case _Picture(data, kind):
            return Blob(data, kind, "image")
        case _Sound(data, kind):
            return Blob(data, kind, "audio")
        case _Link(uri, name, description):
            return Words(f"Resource {name}: {uri} {description or ''}".rstrip())
        case _Resource(kept):
            text = (kept.text or "").encode(errors="replace")
            whole = text if kept.blob is None else kept.blob
            return Blob(whole, kept.mimeType or "", kept.uri)
        case _ as never:
            assert_never(never)
