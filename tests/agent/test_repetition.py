"""When a model goes in circles, and when it only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.folded import CallState
from agent.protocol import Decision, ToolOutput
from agent.repetition import WINDOW, circling, signature
from tests.agent.logs import call


def calls(*made: str) -> list[CallState]:
    """Answered calls: "ls" alone, or "ls=2 files" with its result."""
    return [answered(*text.partition("=")[::2]) for text in made]


def answered(command: str, output: str = "") -> CallState:
    result = ToolOutput("t1", "c1", "ok", output, False, len(output), 0.1)
    return CallState(call(arguments={"command": command}), output=result)


THRICE = "You called bash 3 times in a row with the same arguments and got the same result."


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param("", None, id="nothing was called"),
        pytest.param("a a", None, id="twice"),
        pytest.param("a a a", THRICE, id="three times"),
        pytest.param("b c a a a", THRICE, id="three times in the end"),
        pytest.param("a a a b", None, id="something else since"),
        pytest.param("a=1 a=2 a=3", None, id="the result changes"),
        pytest.param("a b a b", "2 calls (bash, bash)", id="a cycle of two"),
        pytest.param("a b c a b c", "3 calls (bash, bash, bash)", id="a cycle of three"),
        pytest.param("a b c d e a b c d e", "5 calls", id="a cycle of five"),
        pytest.param("a b c d e f a b c d e f", None, id="a cycle of six is none"),
        pytest.param("a b c a b", None, id="a cycle that is not closed"),
        pytest.param("a=1 b a=2 b", None, id="a cycle whose results change"),
    ],
)
def test_a_circle_is_found(made: str, said: str | None) -> None:
    found = circling(calls(*made.split()))
    assert (found is None) if said is None else (found is not None and said in found)


def test_a_call_without_a_result_does_not_count() -> None:
    assert circling([*calls("a", "a"), CallState(call(arguments={"command": "a"}))]) is None


def test_another_tool_and_edited_arguments_are_another_call() -> None:
    plain = CallState(call(arguments={"command": "a"}))
    edited = CallState(plain.made, decision=Decision("c1", "approve", arguments={"command": "b"}))
    other = CallState(call(tool="read", arguments={"command": "a"}))
    assert len({signature(state) for state in (plain, edited, other)}) == 3


def test_the_order_of_arguments_makes_no_difference() -> None:
    there = CallState(call(arguments={"path": "a", "limit": 1}))
    back = CallState(call(arguments={"limit": 1, "path": "a"}))
    assert signature(there) == signature(back)


@given(st.lists(st.sampled_from("abc"), max_size=2 * WINDOW))
def test_only_the_last_calls_matter(made: list[str]) -> None:
    assert circling(calls(*made)) == circling(calls(*made[-WINDOW:]))


@given(st.lists(st.integers(), unique=True))
def test_calls_that_differ_are_no_circle(made: list[int]) -> None:
    assert circling(calls(*map(str, made))) is None


@given(st.lists(st.sampled_from("abcdef"), max_size=12), st.integers(2, 5))
def test_a_cycle_is_found_behind_anything(before: list[str], length: int) -> None:
    cycle = "vwxyz"[:length]
    assert circling(calls(*before, *cycle, *cycle)) is not None
