"""Logging: one line a record, bound to its session and submission, without secrets or forgeries."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

import msgspec
from msgspec import Struct

from agent.redaction import Redactor
from server.log_pipe import LogPipe
from server.settings import LogFormat, LogLevel

_session: ContextVar[str | None] = ContextVar("session", default=None)
_submission: ContextVar[str | None] = ContextVar("submission", default=None)

CHATTY = ("httpx", "httpx2", "httpcore", "httpcore2", "huggingface_hub", "mcp")
"""Libraries whose information is noise here: they log every request, addresses included."""

SELF_WILLED = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
"""Loggers that write to stderr by handlers of their own; what they say comes as errors, too."""
LONGEST = 8_000
"""Characters of one message or traceback line; what lies beyond is counted, not written."""

MOST_HIDDEN = 2_000
"""Values that are hidden in log lines whatever they look like; those learnt first are forgotten."""
_hidden: dict[str, None] = {}
_formats = Redactor()
_is_stale = False
"""What is taken out of conversations; what follows is taken out of log lines beside it."""
_SECRETS = (
    # A prefix that names the kind is kept, so that a reader knows what was there.
    re.compile(r"\b(hf_|sk-|gh[opsu]_|github_pat_|xox[a-z]-)[A-Za-z0-9_-]{8,}"),
    re.compile(r"\b(mooring_[0-9a-f]{6,}_)[A-Za-z0-9_-]+"),
    re.compile(r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(
        r"(?i)((?:api[_-]?key|password|secret|access_token)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"
    ),
    re.compile(r"(?i)([?&](?:ticket|token|code)=)[^\s\"'&]+"),
    re.compile(r"(://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
# C0, DEL, C1, line separators, everything that reorders text, lone surrogates.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PLAIN = re.compile(r"[^\s\"=]+")


@contextmanager
def bound(*, session: str | None = None, submission: str | None = None) -> Iterator[None]:
    """Records made inside carry these ids, also those of tasks that are started inside."""
    before = _session.get(), _submission.get()
    _session.set(session or before[0])
    _submission.set(submission or before[1])
    try:
        yield
    finally:
        # Not `reset`: a generator may be closed in another context than it was entered in.
        _session.set(before[0])
        _submission.set(before[1])


def redacted(text: str) -> str:
    """The text without anything that looks like a credential."""
    global _formats, _is_stale
    if _is_stale:  # made with the next line, not with each of a thousand values
        _is_stale = False
        _formats = Redactor(tuple(_hidden))
    for secret in _SECRETS:
        text = secret.sub(r"\1***", text)
    return _formats.text(text)


def hide(values: Sequence[str]) -> None:
    """Never to be logged from now on."""
    global _is_stale
    _hidden.update(dict.fromkeys(values))
    while len(_hidden) > MOST_HIDDEN:
        del _hidden[next(iter(_hidden))]
    _is_stale = True


def printable(text: str) -> str:
    r"""The text on one line, what could move a cursor or forge a line spelt out (`\n`, `\x1b`)."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def bind(record: logging.LogRecord) -> None:
    """Keep with a record what is only known where it arises: its ids, and what it says now."""
    record.session, record.submission = _session.get(), _submission.get()
    record.msg, record.args = _message(record), None


class _Line(Struct, frozen=True, omit_defaults=True):
    """One record, fit to be shown: redacted and printable."""

    at: str
    level: str
    room: str
    message: str
    session: str | None = None
    submission: str | None = None
    traceback: tuple[str, ...] = ()


class _Formatter(logging.Formatter):
    def line(self, record: logging.LogRecord) -> _Line:
        moment = datetime.fromtimestamp(record.created, UTC)
        return _Line(
            at=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            level=record.levelname.lower(),
            room=record.name,
            message=_shortened(printable(redacted(_message(record)))),
            session=_shown(getattr(record, "session", None)),
            submission=_shown(getattr(record, "submission", None)),
            traceback=_traceback(record),
        )


class TextFormatter(_Formatter):
    """`time level room: message session=... submission=...`, a traceback indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        line = self.line(record)
        ids = (("session", line.session), ("submission", line.submission))
        bindings = "".join(f" {name}={_quoted(value)}" for name, value in ids if value)
        first = f"{line.at} {line.level:<7} {line.room}: {line.message}{bindings}"
        return "\n    | ".join((first, *line.traceback))


class JsonFormatter(_Formatter):
    """One JSON object a line: at, level, room, message, session?, submission?, traceback?."""

    def format(self, record: logging.LogRecord) -> str:
        return msgspec.json.encode(self.line(record)).decode()


def configure(log_format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Send every record of the process to `stream` (stderr), and nowhere else."""
    handler = LogPipe(stream or sys.stderr, bind=bind)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in SELF_WILLED:
        logging.getLogger(name).disabled = True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit: still worth reading
        return f"{record.msg} {record.args!r}"


def _traceback(record: logging.LogRecord) -> tuple[str, ...]:
    if not record.exc_info or record.exc_info[1] is None:
        return ()
    text = redacted("".join(traceback.format_exception(record.exc_info[1])))
    return tuple(_shortened(printable(line)) for line in text.splitlines())


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def _shown(value: str | None) -> str | None:
    return value and printable(redacted(value))


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else msgspec.json.encode(value).decode()
