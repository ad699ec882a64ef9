"""What servers answer, read without trust."""

from typing import Any

import pytest

from agent.protocol import JsonObject
from agent.tools.mcp_content import MOST_PAGES, Page, pages_of, parts_of
from agent.tools.mcp_port import Blob, Part, Words

READ: list[tuple[JsonObject, Part]] = [
    ({"type": "text", "text": "a", "annotations": None}, Words("a")),
    (
        {"type": "image", "data": "AAE=", "mimeType": "image/png"},
        Blob(b"\0\1", "image/png", "image"),
    ),
    ({"type": "audio", "data": "", "mimeType": "audio/wav"}, Blob(b"", "audio/wav", "audio")),
    ({"type": "resource_link", "uri": "a://b", "name": "c"}, Words("Resource c: a://b")),
    (
        {"type": "resource_link", "uri": "a://b", "name": "c", "description": "d"},
        Words("Resource c: a://b d"),
    ),
    ({"type": "resource", "resource": {"uri": "a://b", "text": "x"}}, Blob(b"x", "", "a://b")),
    ({"type": "resource", "resource": {"uri": "a://b"}}, Blob(b"", "", "a://b")),
    (
        {"type": "resource", "resource": {"uri": "a://b", "blob": "AA==", "mimeType": "m/n"}},
        Blob(b"\0", "m/n", "a://b"),
    ),
]


@pytest.mark.parametrize(("content", "part"), READ)
def test_every_kind_of_content_is_read(content: JsonObject, part: Part) -> None:
    assert parts_of([content], None) == (part,)


@pytest.mark.parametrize(
    "content",
    [7, {"type": "hologram"}, {"type": "image", "data": "no base64!", "mimeType": "m/n"}, {}],
)
def test_what_cannot_be_read_is_said_and_costs_nothing_else(content: Any) -> None:
    strange, fine = parts_of([content, {"type": "text", "text": "fine"}], None)
    assert isinstance(strange, Words)
    assert "cannot be read" in strange.text
    assert fine == Words("fine")


def test_pages_to_open_are_read_and_bounded() -> None:
    page = {"mode": "url", "message": "Sign in", "url": "https://a.b", "elicitationId": "e"}
    assert pages_of({"elicitations": [page]}) == (Page("Sign in", "https://a.b"),)
    assert len(pages_of({"elicitations": [page] * 100})) == MOST_PAGES
    for strange in (None, {}, {"elicitations": 7}, {"elicitations": [{"url": 7}]}):
        assert pages_of(strange) == ()


def test_structured_content_is_told_where_no_words_are() -> None:
    image = {"type": "image", "data": "", "mimeType": "image/png"}
    assert parts_of([image], {"a": 1})[1:] == (Words('{"a":1}'),)
    assert parts_of([{"type": "text", "text": "a"}], {"a": 1}) == (Words("a"),)
