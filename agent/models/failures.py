"""What a provider's error means: an answer that is no reply, classified as a ModelError."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import msgspec
from msgspec import Struct

from agent.models.port import ModelError

OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|model_context_window_exceeded"
    r"|context[ _-]?(length|window|size|limit)"
    r"|maximum (model|prompt|context|allowed) (length|tokens)|exceeds? max length"
    r"|(prompt|input|request) is too (long|large)|reduce the length of the (messages|prompt|input)"
    r"|(input|prompt) (token count|tokens?) .{0,40}exceed|exceeded model token limit"
    r"|inputs` tokens \+ `max_new_tokens`|inputs must have less than"
    r"|prompt contains .{0,40}too large|too many tokens",
    re.IGNORECASE | re.DOTALL,
)
NO_MODEL = re.compile(
    r"model[ _-]?not[ _-]?(found|supported|exist)|invalid_model|(unknown|no such) model"
    r"|model .{0,120}(does not exist|not found|is not supported)",
    re.IGNORECASE | re.DOTALL,
)
BAD_KEY = re.compile(
    r"(invalid|incorrect)[ _]api[ _]key|api[ _]key (is )?(not valid|invalid)|authentication_error",
    re.IGNORECASE,
)
NO_CREDIT = re.compile(
    r"insufficient_(quota|balance|credit)|exceeded your current quota|billing_hard_limit",
    re.IGNORECASE,
)
BUSY = re.compile(r"overloaded|too busy|at capacity|currently loading|unavailable", re.IGNORECASE)
LIMITED = re.compile(r"rate[ _-]?limit|too_many_requests|resource_exhausted", re.IGNORECASE)
INNARDS = re.compile(r"\s?(?:\w+:)?<[\w. ]+ object at 0x[0-9a-f]+>")
"""How Python names its own objects: nothing for a person to read."""
SECRET = re.compile(
    r"\b(sk|hf|gsk|xai|nvapi|pplx|r8|AIza)[-_]?[\w*-]{6,}|bearer\s+\S+", re.IGNORECASE
)

NOT_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding JSON from a stranger may raise."""
QUOTED = 200
"""Characters of a provider's own words that are passed on."""

BY_STATUS = {
    401: "unauthorized",
    402: "forbidden",
    403: "forbidden",
    404: "model_not_found",
    408: "timed_out",
    409: "provider_error",
    413: "context_overflow",
    425: "overloaded",
    429: "rate_limited",
    503: "overloaded",
    504: "timed_out",
    520: "unreachable",
    521: "unreachable",
    522: "unreachable",
    523: "unreachable",
    524: "timed_out",
    529: "overloaded",
}
FINAL = {"context_overflow", "unauthorized", "forbidden", "model_not_found", "bad_request"}
"""Codes that a retry of the same request cannot mend."""
ADVICE = {
    "rate_limited": "{name} limits how often it may be asked. Wait a little.",
    "overloaded": "{name} is overloaded at the moment. Try again shortly.",
    "unreachable": "{name} cannot be reached. Check its address and that it is running.",
    "timed_out": "{name} took too long to answer. Try again.",
    "stream_cut": "{name} broke off in the middle of its reply. Try again.",
    "garbled": "{name} sent something that is not a chat reply. Check its address, or try again.",
    "provider_error": "{name} failed to answer. Try again.",
    "context_overflow": "The conversation is longer than the model can read. Compact it.",
    "unauthorized": "{name} refused the API key. Set a valid key.",
    "forbidden": "{name} does not allow this key to use the model. Check its rights and credit.",
    "model_not_found": "{name} does not know this model. Check its name and the server's address.",
    "bad_request": "{name} refused the request.",
}


class Said(Struct, frozen=True):
    """What an error body says: `kind` joins its codes and types, `status` is one named inside."""

    message: str = ""
    kind: str = ""
    status: int | None = None


def failure(
    code: str, name: str, said: str = "", *, secret: str | None = None,
    retry_after: float | None = None,
) -> ModelError:  # fmt: skip
    """The error `code` of endpoint `name`, with what was `said` about it and without its secret."""
    message = ADVICE[code].format(name=name)
    if code != "unauthorized" and (words := quoted(said, secret)):
        message = f"{message} Details: {words}"
    return ModelError(code, message, retryable=code not in FINAL, retry_after=retry_after)


def code_of(status: int | None, said: Said) -> str:
    """Status first; the words decide where a status has several meanings or there is none."""
    words = f"{said.kind} {said.message}"
    if status is None:
        status = said.status
    if status in (None, 400, 413, 422, 500) and OVERFLOW.search(words):
        return "context_overflow"
    if status in (None, 400, 422):
        return _code_of_words(words, "provider_error" if status is None else "bad_request")
    if status == 429 and NO_CREDIT.search(words):
        return "forbidden"
    return BY_STATUS.get(status) or ("provider_error" if status >= 500 else "bad_request")


def _code_of_words(words: str, otherwise: str) -> str:
    if BAD_KEY.search(words):
        return "unauthorized"
    if NO_CREDIT.search(words):
        return "forbidden"
    if NO_MODEL.search(words):
        return "model_not_found"
    if LIMITED.search(words):
        return "rate_limited"
    if BUSY.search(words):
        return "overloaded"
    return "bad_request" if "invalid_request" in words else otherwise


def heard(body: bytes) -> Said:
    """An error body in any of the common shapes; plain text is its own message, HTML is none."""
    try:
        found = msgspec.json.decode(body)
    except NOT_JSON:
        text = body.decode(errors="replace").strip()
        return Said("" if text.startswith("<") else text)
    return said_by(found)


def said_by(found: Any) -> Said:
    """The same for a decoded body: `{"error": ...}`, its inside, or a list that holds it."""
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return Said(found if isinstance(found, str) else "")
    inner = found.get("error")
    if isinstance(inner, dict):
        return said_by(inner)
    message = inner if isinstance(inner, str) else found.get("message") or found.get("detail")
    kinds = [found.get(name) for name in ("code", "type", "error_type", "status")]
    code = found.get("code")
    return Said(
        message=message if isinstance(message, str) else _compact(message),
        kind=" ".join(kind for kind in kinds if isinstance(kind, str)),
        status=_status(code),
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the provider asks to wait, from `retry-after-ms` or `Retry-After` (either form).

    `now` is in seconds since the epoch; the mapping must not care for case.
    """
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("Retry-After", "")
    seconds = _seconds(given)
    return _until(given, now) if seconds is None else seconds


def quoted(text: str, secret: str | None) -> str:
    """A provider's words on one short line, with everything that looks like a key blotted out."""
    if secret:
        text = text.replace(secret, "***")
    line = " ".join(INNARDS.sub("", SECRET.sub("***", text)).split())
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= QUOTED else line[: QUOTED - 1] + "…"


def _seconds(number: str) -> float | None:
    try:
        seconds = float(number)
    except ValueError:
        return None
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(date: str, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except ValueError:
        return None


def _status(code: Any) -> int | None:
    if isinstance(code, str) and code.isdecimal():
        code = int(code)
    return code if isinstance(code, int) and 400 <= code <= 599 else None


def _compact(found: Any) -> str:
    return "" if found is None else msgspec.json.encode(found).decode()
