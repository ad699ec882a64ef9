"""What providers answer when they do not reply, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.failures import Said, code_of, failure, heard, quoted, retry_after

NOW = 946_684_700.0  # 1999-12-31 23:58:20 UTC


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"), (401, "unauthorized"), (402, "forbidden"), (403, "forbidden"),
        (404, "model_not_found"), (405, "bad_request"), (408, "timed_out"),
        (409, "provider_error"), (413, "context_overflow"), (418, "bad_request"),
        (422, "bad_request"), (425, "overloaded"), (429, "rate_limited"),
        (500, "provider_error"), (501, "provider_error"), (502, "provider_error"),
        (503, "overloaded"), (504, "timed_out"), (520, "unreachable"), (522, "unreachable"),
        (524, "timed_out"), (529, "overloaded"), (599, "provider_error"),
        (None, "provider_error"),
    ],
)  # fmt: skip
def test_the_status_decides_where_the_words_say_nothing(status: int | None, code: str) -> None:
    assert code_of(status, Said("Something happened.")) == code


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_misleading_type_in_the_body_does_not_change_a_status(status: int) -> None:
    said = Said("Oh no.", kind="invalid_request_error")
    assert code_of(status, said) == code_of(status, Said())


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "The decoder prompt (length 9000) is longer than the maximum model length of 4096.",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
        "Input validation error: inputs must have less than 1024 tokens. Given: 5000",
        "the request exceeds the available context size. try increasing it",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum",
        "Please reduce the length of the messages or completion.",
        "Input is too long for requested model.",
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "Prompt exceeds max length",
        "Invalid request: Your request exceeded model token limit: 8192",
        "Your input exceeds the context window of this model.",
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500, None])
def test_an_overflowing_context_is_known_by_its_words(status: int | None, words: str) -> None:
    assert code_of(status, Said(words)) == "context_overflow"


@pytest.mark.parametrize("kind", ["context_length_exceeded", "exceed_context_size_error"])
def test_an_overflowing_context_is_known_by_its_code(kind: str) -> None:
    assert code_of(400, Said("Invalid request.", kind)) == "context_overflow"


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [
        (400, "max_tokens is too large: 100000. It supports at most 16384.", "bad_request"),
        (400, "Unsupported parameter: 'max_tokens'", "bad_request"),
        (400, "API key not valid. Please pass a valid API key.", "unauthorized"),
        (400, "Incorrect API key provided: ab***yz.", "unauthorized"),
        (400, "The model `gpt-9` does not exist", "model_not_found"),
        (400, "The requested model 'a/b' is not supported by any provider", "model_not_found"),
        (422, "model_not_found", "model_not_found"),
        (429, "You exceeded your current quota, please check your plan", "forbidden"),
        (400, "insufficient_balance", "forbidden"),
        (None, "The server is overloaded", "overloaded"),
        (None, "Rate limit reached", "rate_limited"),
        (None, "Model a/b is currently loading", "overloaded"),
        (None, "invalid_request: no such field", "bad_request"),
    ],
)
def test_words_decide_where_the_status_has_several_meanings(
    status: int | None, words: str, code: str
) -> None:
    assert code_of(status, Said(words)) == code


def test_a_status_inside_the_body_counts_where_there_is_no_other() -> None:
    assert code_of(None, Said("Oh no.", status=429)) == "rate_limited"
    assert code_of(503, Said("Oh no.", status=429)) == "overloaded"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"message":"M","type":"T","code":"C"}}', Said("M", "C T")),
        (b'{"error":{"message":"M","code":503}}', Said("M", "", 503)),
        (b'{"error":{"message":"M","code":"429"}}', Said("M", "429", 429)),
        (b'{"error":{"message":"M","code":7}}', Said("M")),
        (b'{"error":"M","error_type":"overloaded"}', Said("M", "overloaded")),
        (b'{"object":"error","message":"M","type":"T","code":400}', Said("M", "T", 400)),
        (b'[{"error":{"message":"M","status":"RESOURCE_EXHAUSTED"}}]',
         Said("M", "RESOURCE_EXHAUSTED")),
        (b'{"detail":"M"}', Said("M")),
        (b'{"detail":[{"msg":"M"}]}', Said('[{"msg":"M"}]')),
        (b'"M"', Said("M")),
        (b"17", Said()),
        (b"[]", Said()),
        (b"{}", Said()),
        (b"plain words\n", Said("plain words")),
        (b"<html><body>502</body></html>", Said()),
        (b"\xff\xfe", Said("\ufffd\ufffd")),
        (b'{"error":"\xff"}', Said('{"error":"\ufffd"}')),
        (b"[" * 3, Said("[[[")),
        (b"", Said()),
    ],
)  # fmt: skip
def test_error_bodies_of_every_shape(body: bytes, expected: Said) -> None:
    assert heard(body) == expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 99),
        ({"Retry-After": "Fri, 31 Dec 1999 23:50:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"retry-after-ms": "?", "Retry-After": "1"}, 1),
    ],
)
def test_how_long_a_provider_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_message_says_what_to_do_and_quotes_the_provider() -> None:
    problem = failure("bad_request", "vllm", "Unsupported\n parameter")
    assert str(problem) == "vllm refused the request. Details: Unsupported parameter"
    assert problem.retryable is False


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("rate_limited", True),
        ("stream_cut", True),
        ("context_overflow", False),
        ("forbidden", False),
    ],
)
def test_only_what_may_pass_is_worth_a_retry(code: str, retryable: bool) -> None:
    assert failure(code, "x").retryable is retryable


def test_nothing_is_quoted_beside_a_refused_key() -> None:
    assert "abc" not in str(failure("unauthorized", "x", "your key abc is wrong"))


@given(secret=st.text(min_size=8), before=st.text(), after=st.text())
def test_a_secret_never_appears(secret: str, before: str, after: str) -> None:
    said = quoted(f"{before}{secret}{after}", secret)
    assert secret not in said or secret in f"{before}***{after}"


@pytest.mark.parametrize(
    "key", ["sk-proj-abcdef0123456789", "hf_abcdefghijklmnop", "gsk_0123456789", "Bearer abc.def"]
)
def test_what_looks_like_a_key_is_blotted_out(key: str) -> None:
    assert quoted(f"wrong key {key}, sorry", None).startswith("wrong key ***")


def test_a_quotation_is_short_and_printable() -> None:
    said = quoted("a\x1b[31m" + "b" * 500, None)
    assert len(said) == 200
    assert said.endswith("…")
    assert said.isprintable()


def test_a_quotation_does_not_show_the_innards_of_the_program() -> None:
    said = "Cannot connect to host a.b:443 ssl:<ssl.SSLContext object at 0x7f12ab> [refused]"
    assert quoted(said, None) == "Cannot connect to host a.b:443 [refused]"
