"""Problems carry a code for programs and a message for people."""

import pytest

from agent.errors import ConfigProblem, Problem, Refused, Unrecorded


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Problem("bad_path", "Not there."), "bad_path"),
        (Refused("busy", "Not there."), "busy"),
        (ConfigProblem("Not there."), "bad_config"),
        (Unrecorded("Not there."), "unavailable"),
    ],
)
def test_a_problem_has_a_code_and_a_message(problem: Problem, code: str) -> None:
    assert (problem.code, problem.message, str(problem)) == (code, "Not there.", "Not there.")


def test_a_refusal_may_say_when_to_come_back() -> None:
    assert Refused("rate_limited", "Too fast.", retry_after=2.5).retry_after == 2.5
    assert Refused("busy", "Not now.").retry_after is None
