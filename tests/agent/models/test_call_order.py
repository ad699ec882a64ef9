"""Fragments find their call, whatever a provider does with indexes, ids and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.call_order import CallOrder
from tests.agent.models.hearing import calls_of

Fragment = tuple[int | str | None, str | int | None, str | None, str]


def calls(*fragments: Fragment) -> list[tuple[str, str]]:
    order = CallOrder()
    return calls_of([piece for fragment in fragments for piece in order.take(*fragment)])


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        pytest.param(
            [(0, "a", "bash", ""), (0, None, None, '{"x"'), (0, None, None, ":1}")],
            [("bash", '{"x":1}')],
            id="as the protocol has it",
        ),
        pytest.param(
            [
                (0, "a", "bash", ""),
                (1, "b", "read", ""),
                (0, None, None, "1"),
                (1, None, None, "2"),
            ],
            [("bash", "1"), ("read", "2")],
            id="parallel calls that take turns",
        ),
        pytest.param(
            [(0, "a", "bash", '{"x":1}'), (0, "b", "read", '{"y":2}')],
            [("bash", '{"x":1}'), ("read", '{"y":2}')],
            id="whole calls that all have index 0",
        ),
        pytest.param(
            [(None, "a", "bash", "{}"), (None, "b", "bash", "{}")],
            [("bash", "{}"), ("bash", "{}")],
            id="whole calls without an index",
        ),
        pytest.param(
            [(None, "a", "bash", "1"), (None, "b", "read", "2"), (None, "a", None, "3")],
            [("bash", "13"), ("read", "2")],
            id="no index, told apart by id",
        ),
        pytest.param(
            [(None, None, "bash", '{"x'), (None, None, None, '":1}')],
            [("bash", '{"x":1}')],
            id="neither index nor id",
        ),
        pytest.param(
            [(None, None, "bash", "{}"), (None, None, "bash", "{}")],
            [("bash", "{}"), ("bash", "{}")],
            id="neither, and the same tool twice",
        ),
        pytest.param(
            [(0, None, "bash", ""), (0, None, "read", "")],
            [("bash", ""), ("read", "")],
            id="index 0 again under another name",
        ),
        pytest.param(
            [(0, "a", "bash", '{"x'), (0, "a", "bash", '":1}')],
            [("bash", '{"x":1}')],
            id="id and name repeated in each fragment",
        ),
        pytest.param(
            [(0, None, "bash", '{"x":{}'), (0, None, "bash", "}")],
            [("bash", '{"x":{}}')],
            id="the name repeated after a brace that closes nothing",
        ),
        pytest.param(
            [(0, "a", "bash", "{"), (0, "b", None, "}")],
            [("bash", "{}")],
            id="a new id in each fragment, without a name",
        ),
        pytest.param(
            [(0, "a", None, ""), (0, "a", None, '{"x'), (0, None, "bash", '":1}')],
            [("bash", '{"x":1}')],
            id="the name after the first arguments",
        ),
        pytest.param(
            [(7, "a", "bash", "1"), ("9", "b", "read", "2"), (3, "c", "plan", "3")],
            [("bash", "1"), ("read", "2"), ("plan", "3")],
            id="indexes that start anywhere keep the order of appearance",
        ),
        pytest.param([(0, None, "", ""), (None, None, None, "")], [], id="empty fragments"),
    ],
)
def test_order(fragments: list[Fragment], expected: list[tuple[str, str]]) -> None:
    assert calls(*fragments) == expected


def test_a_call_that_never_gets_a_name_is_noticed() -> None:
    order = CallOrder()
    assert order.take(0, "a", None, "{}") == []
    assert order.nameless
    order.take(0, None, "bash", "")
    assert not order.nameless


@given(
    made=st.lists(st.tuples(st.sampled_from(["bash", "read"]), st.text("{}x", max_size=8))),
    data=st.data(),
)
def test_well_formed_calls_survive_any_interleaving(
    made: list[tuple[str, str]], data: st.DataObject
) -> None:
    order = CallOrder()
    pieces = [
        piece
        for index, (name, _) in enumerate(made)
        for piece in order.take(index, f"id-{index}", name, "")
    ]
    rest = [index for index, (_, text) in enumerate(made) for _ in text]
    left = {index: iter(text) for index, (_, text) in enumerate(made)}
    for index in data.draw(st.permutations(rest)):
        pieces += order.take(index, None, None, next(left[index]))
    assert calls_of(pieces) == made
