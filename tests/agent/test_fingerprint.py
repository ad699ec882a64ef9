"""The same thing sent again is told from another thing under the same id."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Refused
from agent.fingerprint import fingerprint
from agent.protocol import decode_submission

APPROVAL = '{"type":"approval","id":"a","decisions":[{"call":"c","decision":"approve",%s}]}'


def mark(text: str) -> bytes:
    return fingerprint(decode_submission(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            '{"type":"user_input","id":"a","text":"hi"}',
            '{"text":"hi","delivery":"queue","attachments":[],"id":"a","type":"user_input"}',
            id="defaults left out or sent, in any order",
        ),
        pytest.param(
            '{"type":"set_auto_approval","id":"a","enabled":true,"cost_cap_usd":5}',
            '{"type":"set_auto_approval","id":"a","enabled":true,"cost_cap_usd":5.0}',
            id="a number with and without a point",
        ),
        pytest.param(
            APPROVAL % '"arguments":{"n":[1,{"x":1e2}],"m":-0.0}',
            APPROVAL % '"arguments":{"m":0,"n":[1.0,{"x":100}]}',
            id="numbers and keys within arguments",
        ),
        pytest.param(
            APPROVAL % '"feedback":null', APPROVAL % '"remember":null', id="null is the default"
        ),
    ],
)
def test_equal_content_is_the_same(one: str, other: str) -> None:
    assert mark(one) == mark(other)
    assert len(mark(one)) == 16


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            '{"type":"undo","id":"a"}', '{"type":"retry","id":"a"}', id="another type"
        ),
        pytest.param(
            APPROVAL % '"arguments":{"n":1}', APPROVAL % '"arguments":{"n":true}', id="1 and true"
        ),
        pytest.param(
            APPROVAL % '"arguments":{"n":1}', APPROVAL % '"arguments":{"n":"1"}', id="1 and '1'"
        ),
        pytest.param(
            APPROVAL % '"arguments":{"n":[1,2]}', APPROVAL % '"arguments":{"n":[2,1]}',
            id="another order in a list",
        ),
        pytest.param(
            APPROVAL % '"arguments":{"n":1.5}', APPROVAL % '"arguments":{"n":1.25}', id="a fraction"
        ),
        pytest.param(APPROVAL % '"arguments":{}', APPROVAL % '"arguments":null', id="none"),
    ],
)  # fmt: skip
def test_other_content_is_not(one: str, other: str) -> None:
    assert mark(one) != mark(other)


@pytest.mark.parametrize("value", ["[" * 800 + "]" * 800, '{"a":' * 800 + "1" + "}" * 800])
def test_what_is_nested_too_deep_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="100 levels deep") as refusal:
        mark(APPROVAL % f'"arguments":{{"n":{value}}}')
    assert refusal.value.code == "malformed"


def test_huge_numbers_have_a_mark_too() -> None:
    assert mark(APPROVAL % '"arguments":{"n":1e300}') != mark(APPROVAL % '"arguments":{"n":1e299}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_a_repeat_in_any_spelling_has_the_same_mark(arguments: dict[str, object]) -> None:
    plain = msgspec.json.encode(arguments).decode()
    spaced = msgspec.json.format(plain, indent=3)
    reversed_keys = msgspec.json.encode(dict(reversed(arguments.items()))).decode()
    marks = {mark(APPROVAL % f'"arguments":{text}') for text in (plain, spaced, reversed_keys)}
    assert len(marks) == 1
