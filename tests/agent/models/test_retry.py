"""Whether a failed request is tried again, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.port import ModelError
from agent.models.retry import Retries

RETRIES = Retries(transient_seconds=(5, 15), rate_limit_seconds=(30, 60), longest_seconds=600)


def error(
    code: str = "overloaded", *, retryable: bool = True, asked: float | None = None
) -> ModelError:
    return ModelError(code, "It failed.", retryable=retryable, retry_after=asked)


@pytest.mark.parametrize(
    ("attempt", "failed", "wait"),
    [
        pytest.param(1, error(), 5, id="a passing failure is tried again after the first wait"),
        pytest.param(2, error(), 15, id="then after the second"),
        pytest.param(3, error(), None, id="and given up when the waits run out"),
        pytest.param(1, error("rate_limited"), 30, id="a rate limit has waits of its own"),
        pytest.param(2, error("rate_limited"), 60, id="which are followed in order"),
        pytest.param(1, error("rate_limited", asked=7.5), 7.5, id="Retry-After is followed"),
        pytest.param(1, error(asked=7), 7, id="Retry-After counts for every passing failure"),
        pytest.param(1, error("rate_limited", asked=0), 0, id="also when it is zero"),
        pytest.param(1, error(asked=-3), 0, id="a Retry-After in the past is now"),
        pytest.param(1, error("rate_limited", asked=9000), 600, id="but not for ever"),
        pytest.param(3, error("rate_limited", asked=1), None, id="and not once more than allowed"),
        pytest.param(1, error("unauthorized", retryable=False), None, id="what is final stays so"),
    ],
)
def test_waits(attempt: int, failed: ModelError, wait: float | None) -> None:
    assert RETRIES.wait(attempt, failed, shown=False) == wait


@pytest.mark.parametrize("code", ["stream_cut", "timed_out", "rate_limited"])
def test_nothing_is_tried_again_once_something_was_shown(code: str) -> None:
    assert RETRIES.wait(1, error(code), shown=True) is None


def test_without_waits_there_is_one_attempt() -> None:
    assert Retries((), ()).wait(1, error(), shown=False) is None


@given(
    waits=st.lists(st.floats(0, 100), max_size=5),
    code=st.sampled_from(["rate_limited", "garbled"]),
    retryable=st.booleans(),
)
def test_it_is_tried_exactly_as_often_as_announced(
    waits: list[float], code: str, retryable: bool
) -> None:
    retries = Retries(tuple(waits), tuple(waits[1:]))
    failed = error(code, retryable=retryable)
    attempt = 1
    while retries.wait(attempt, failed, shown=False) is not None:
        attempt += 1
    assert attempt == retries.attempts(failed)
