"""Log records are one line, carry their ids, and hold neither secrets nor forged lines."""

import asyncio
import gc
import json
import logging
import re
import threading
import weakref
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import logs
from server.log_pipe import LogPipe
from server.settings import LogFormat


def written(log_format: LogFormat, message: str, *arguments: object, error: bool = False) -> str:
    """What a record becomes, without its time."""
    record = logging.LogRecord("room", logging.INFO, __file__, 1, message, arguments, None)
    if error:
        try:
            raise ValueError(message)
        except ValueError as raised:
            record.exc_info = (ValueError, raised, raised.__traceback__)
    formatter = logs.JsonFormatter() if log_format == "json" else logs.TextFormatter()
    logs.bind(record)
    return formatter.format(record)


def as_json(message: str, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written("json", message, *arguments))
    return found


def test_a_text_line_says_when_how_grave_where_and_what() -> None:
    line = written("text", "listening on %d", 8765)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    room: listening on 8765", line
    )


def test_a_json_line_says_the_same_in_fields() -> None:
    line = as_json("listening on %d", 8765)
    assert line.pop("at").endswith("Z")
    assert line == {"level": "info", "room": "room", "message": "listening on 8765"}


def test_a_record_carries_the_ids_it_was_written_under() -> None:
    with logs.bound(session="s1"), logs.bound(submission="c 1"):
        line = written("text", "hello")
    assert line.endswith('room: hello session=s1 submission="c 1"')
    assert "session" not in written("text", "hello")


async def test_a_task_keeps_the_ids_it_was_started_under() -> None:
    async def work() -> dict[str, Any]:
        return as_json("working")

    with logs.bound(session="s1", submission="c1"):
        task = asyncio.create_task(work())
    line = await task
    assert (line["session"], line["submission"]) == ("s1", "c1")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hf_abcdefghijklmnop", "hf_***"),
        ("AKIAIOSFODNN7EXAMPLE", "[hidden: AWS key]"),
        ("key sk-proj-abc_DEF-1234567890!", "key sk-***!"),
        ("mooring_0123456789ab_" + "f" * 64, "mooring_0123456789ab_***"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': 'Basic ***'}"),
        ('{"api_key": "abc", "model": "m"}', '{"api_key": "***", "model": "m"}'),
        ("https://ada:pw@host/v1", "https://***@host/v1"),
        ("GET /socket?ticket=abc&after=3", "GET /socket?ticket=***&after=3"),
        ("ghp_abcdefghijklmnopqrst", "ghp_***"),
    ],
)
def test_what_looks_like_a_credential_is_never_written(text: str, shown: str) -> None:
    assert as_json("%s", text)["message"] == shown
    assert shown in written("text", text.replace("%", "%%"))


@pytest.mark.parametrize(
    "text", ["input_tokens=5", "mooring_store is open", "task-1 half_done", "http://host:80/a@b"]
)
def test_what_only_resembles_a_credential_stays_readable(text: str) -> None:
    assert as_json("%s", text)["message"] == text


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_secret_in_an_error_is_hidden_too(log_format: LogFormat) -> None:
    line = written(log_format, "no access with hf_abcdefghijklmnop", error=True)
    assert "abcdefgh" not in line
    assert "ValueError: no access with hf_***" in line


@given(st.text())
def test_no_text_can_end_its_line_or_move_the_cursor(text: str) -> None:
    for line in (written("text", "%s", text), written("json", "%s", text)):
        assert line.splitlines() == [line]
        assert line.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", line)


def test_a_forged_line_is_seen_to_be_one() -> None:
    line = written("text", "%s", "ok\n2026-01-01T00:00:00.000Z error  room: stolen\x1b[2J")
    assert line.endswith(r"room: ok\n2026-01-01T00:00:00.000Z error  room: stolen\x1b[2J")


def test_a_traceback_is_indented_so_that_no_line_of_it_passes_for_a_record() -> None:
    first, *rest = written("text", "first\nsecond", error=True).split("\n")
    assert first.endswith(r"room: first\nsecond")
    assert rest[0] == "    | Traceback (most recent call last):"
    assert rest[-1] == "    | second"
    assert all(line.startswith("    | ") for line in rest)


def test_a_record_whose_arguments_do_not_fit_is_still_written() -> None:
    assert as_json("%d of %d", "three")["message"] == "%d of %d ('three',)"


def test_a_flood_is_cut_and_counted() -> None:
    message = as_json("%s", "x" * 10_000)["message"]
    assert message == "x" * logs.LONGEST + "... (10000 characters)"


def test_configuring_replaces_every_other_way_out_and_quiets_the_chatty() -> None:
    root, stream = logging.getLogger(), StringIO()
    before = root.handlers[:], root.level
    try:
        logs.configure("json", "info", stream)
        logging.getLogger("server.app").info("ready")
        logging.getLogger("server.app").debug("not asked for")
        logging.getLogger("httpx").info("GET https://example.invalid")
        logging.getLogger("LiteLLM").error("said past us")
        root.handlers[0].close()
        assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["ready"]
    finally:
        root.handlers[:], root.level = before
        logging.captureWarnings(False)
        for name in logs.SELF_WILLED:
            logging.getLogger(name).disabled = False


class StalledStream(StringIO):
    """Takes nothing until it is told to flow."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = threading.Event()
        self.flows = threading.Event()

    def write(self, text: str) -> int:
        self.writing.set()
        self.flows.wait()
        return super().write(text)


def record(number: int) -> logging.LogRecord:
    return logging.LogRecord("room", logging.INFO, __file__, 1, "%d", (number,), None)


def test_a_stalled_reader_stalls_nobody_and_learns_what_it_missed() -> None:
    stream = StalledStream()
    pipe = LogPipe(stream, waiting=2)
    pipe.handle(record(0))
    assert stream.writing.wait(60)
    for number in range(1, 6):
        pipe.handle(record(number))
    stream.flows.set()
    pipe.close()
    first, note, *rest = stream.getvalue().splitlines()
    assert (first, rest) == ("0", ["1", "2"])
    assert note.startswith("(3 log lines were dropped")


def test_a_line_says_what_was_true_when_it_was_logged() -> None:
    stream = StalledStream()
    pipe = LogPipe(stream, bind=logs.bind)
    pipe.setFormatter(logs.TextFormatter())
    changes = ["now"]
    with logs.bound(session="s1"):
        pipe.handle(logging.LogRecord("room", logging.INFO, __file__, 1, "%s", (changes,), None))
    changes.append("later")
    with logs.bound(session="s2"):
        stream.flows.set()
        pipe.close()
    assert stream.getvalue().endswith("room: ['now'] session=s1\n")


def test_an_error_is_let_go_of_as_soon_as_it_was_logged() -> None:
    class Kept(Exception):
        pass

    stream = StalledStream()
    pipe = LogPipe(stream)
    gone = threading.Event()
    try:
        raise Kept("once")
    except Kept as error:
        weakref.finalize(error, gone.set)
        failed = record(1)
        failed.exc_info = (Kept, error, error.__traceback__)
        pipe.handle(failed)
        failed.exc_info = None
    del failed
    gc.collect()
    assert gone.is_set()
    stream.flows.set()
    pipe.close()
    assert "Kept: once" in stream.getvalue()


def test_a_stream_that_was_closed_ends_the_log_and_nothing_else() -> None:
    stream = StringIO()
    stream.close()
    pipe = LogPipe(stream)
    pipe.handle(record(0))
    pipe.close()
    assert stream.closed
