"""Payloads come out the same however the bytes were cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.event_lines import EventLines, WholeBody
from agent.models.port import ModelError

ROOM = 2**20


def payloads(*parts: bytes, max_line: int = ROOM, max_total: int = ROOM) -> list[bytes]:
    lines = EventLines(max_line, max_total)
    found = [payload for part in parts for payload in lines.feed(part)]
    return found + lines.end()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"data: a\n\ndata: b\n\n", [b" a", b" b"], id="events"),
        pytest.param(b"data:a\n", [b"a"], id="no space after the colon"),
        pytest.param(b"data: a\r\n\r\n", [b" a\r"], id="CRLF, whose CR is JSON whitespace"),
        pytest.param(b": ping\n\ndata: a\n", [b" a"], id="comments are skipped"),
        pytest.param(b"event: x\nid: 3\nretry: 1\ndata: a\n", [b" a"], id="other fields too"),
        pytest.param(b"data: a", [b" a"], id="a last line without an end"),
        pytest.param(b"\n\n\n", [], id="nothing but line ends"),
        pytest.param(b"", [], id="nothing at all"),
    ],
)
def test_lines(stream: bytes, expected: list[bytes]) -> None:
    assert payloads(stream) == expected


@given(
    stream=st.lists(
        st.sampled_from([b"data: {}", b"data:", b": c", b"\n", b"\r\n", b"\xc3\xa4", b"x"])
    ).map(b"".join),
    cuts=st.lists(st.integers(0, 200)),
)
def test_any_cutting_gives_the_same_payloads(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parts = [stream[start:end] for start, end in pairwise(edges)]
    assert payloads(*parts) == payloads(stream)


def test_a_line_may_be_as_long_as_allowed() -> None:
    assert payloads(b"data: 1234", b"567890", max_line=16) == [b" 1234567890"]


@pytest.mark.parametrize("parts", [[b"data: 1234", b"5678901\n"], [b"x\ndata: 12345678901\n"]])
def test_a_longer_line_is_garbled(parts: list[bytes]) -> None:
    with pytest.raises(ModelError, match="longer than is allowed") as failed:
        payloads(*parts, max_line=16)
    assert failed.value.code == "garbled"


def test_a_whole_reply_may_be_as_long_as_allowed_and_no_longer() -> None:
    assert len(payloads(*[b"data: a\n"] * 10, max_total=80)) == 10
    with pytest.raises(ModelError, match="longer than is allowed"):
        payloads(*[b"data: a\n"] * 11, max_total=80)


def test_a_body_that_is_no_stream_is_one_payload() -> None:
    body = WholeBody(ROOM)
    assert body.feed(b'{"a"') == []
    assert body.feed(b":1}") == []
    assert body.end() == [b'{"a":1}']


def test_such_a_body_is_bounded_too() -> None:
    body = WholeBody(4)
    assert body.feed(b"1234") == []
    with pytest.raises(ModelError, match="longer than is allowed"):
        body.feed(b"5")
