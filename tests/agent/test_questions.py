"""Forms of servers of tools: which are read, and which answers fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import Choice, Field, JsonObject
from agent.questions import MOST_CHOICES, MOST_FIELDS, form_of, misfit, page_of

AB = (Choice("a"), Choice("b"))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"type": "string"}, Field("x", "string")),
        (
            {"type": "string", "title": "T", "description": "D", "minLength": 1, "maxLength": 9},
            Field("x", "string", title="T", description="D", least=1, most=9),
        ),
        ({"type": "string", "format": "email"}, Field("x", "string", format="email")),
        ({"type": "string", "format": "color", "title": 7}, Field("x", "string")),
        ({"type": "string", "default": "a"}, Field("x", "string", default="a")),
        ({"type": "string", "default": 7}, Field("x", "string")),
        (
            {"type": "number", "minimum": 0.5, "maximum": True, "default": 2},
            Field("x", "number", least=0.5, default=2),
        ),
        ({"type": "integer", "maximum": 1e300}, Field("x", "integer")),
        ({"type": "boolean", "default": False}, Field("x", "boolean", default=False)),
        ({"type": "string", "enum": ["a", "b"]}, Field("x", "choice", choices=AB)),
        ({"enum": ["a", "b"], "default": "b"}, Field("x", "choice", choices=AB, default="b")),
        (
            {"type": "string", "enum": ["a", "b"], "enumNames": ["A"]},
            Field("x", "choice", choices=(Choice("a", "A"), Choice("b"))),
        ),
        (
            {"type": "string", "oneOf": [{"const": "a", "title": "A"}]},
            Field("x", "choice", choices=(Choice("a", "A"),)),
        ),
        (
            {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"const": "a"}, {"const": "b"}]},
                "default": ["b"],
            },
            Field("x", "choices", least=1, choices=AB, default=("b",)),
        ),
    ],
)
def test_a_field_is_read(rule: JsonObject, field: Field) -> None:
    assert form_of({"type": "object", "properties": {"x": rule}}) == (field,)


def test_a_form_says_what_is_required() -> None:
    schema = {"properties": {"x": {"type": "string"}, "y": {"type": "string"}}, "required": ["y"]}
    assert form_of(schema) == (Field("x", "string"), Field("y", "string", required=True))
    assert form_of({"required": 7}) == ()


@pytest.mark.parametrize(
    "rule",
    [
        7,
        {},
        {"type": "object", "properties": {}},
        {"type": "array", "items": {"type": "string"}},
        {"type": "array", "items": 7},
        {"type": ["string", "null"]},
        {"type": "secret"},
        {"type": "string", "enum": 7},
        {"type": "string", "enum": ["a"], "enumNames": 7},
        {"type": "string", "enum": [1]},
        {"type": "string", "enum": ["a" * 1000]},
    ],
)
def test_what_a_person_cannot_be_shown_is_no_form(rule: Any) -> None:
    assert form_of({"properties": {"fine": {"type": "string"}, "x": rule}}) is None


def test_a_form_is_bounded() -> None:
    one = {"type": "string"}
    assert form_of({"properties": {str(n): one for n in range(MOST_FIELDS + 1)}}) is None
    many = {"type": "string", "enum": [str(n) for n in range(MOST_CHOICES + 1)]}
    assert form_of({"properties": {"x": many}}) is None
    assert form_of({"properties": {"x" * 1000: one}}) is None
    assert form_of({"properties": {"": one}}) is None
    assert form_of({"properties": []}) is None


@given(st.recursive(st.none() | st.text() | st.integers(), lambda s: st.dictionaries(st.text(), s)))
def test_no_schema_is_a_surprise(rule: Any) -> None:
    schema = rule if isinstance(rule, dict) else {"properties": {"x": rule}}
    form = form_of(schema)
    assert form is None or misfit(form, {}) is None or any(f.required for f in form)


@pytest.mark.parametrize(
    ("field", "fits", "does_not"),
    [
        (Field("x", "string"), "a", 7),
        (Field("x", "string"), "", "a" * 10_001),
        (Field("x", "string", least=2, most=3), "ab", "a"),
        (Field("x", "string", least=2, most=3), "abc", "abcd"),
        (Field("x", "string", format="email"), "ada@example.org", "ada"),
        (Field("x", "string", format="email"), "ada@example.org", "a da@b"),
        (Field("x", "string", format="uri"), "https://a.b/c", "a.b"),
        (Field("x", "string", format="uri"), "mailto:a@b", "http://[x"),
        (Field("x", "string", format="date"), "2026-11-29", "29.11.2026"),
        (Field("x", "string", format="date-time"), "2026-11-29T08:00:00Z", "at eight"),
        (Field("x", "number", least=0, most=1), 0.5, 2),
        (Field("x", "number"), 1, True),
        (Field("x", "integer"), 2.0, 2.5),
        (Field("x", "integer"), 2, "2"),
        (Field("x", "boolean"), False, 0),
        (Field("x", "choice", choices=AB), "a", "c"),
        (Field("x", "choices", choices=AB, least=1), ["b", "a"], []),
        (Field("x", "choices", choices=AB), [], ["a", "a"]),
        (Field("x", "choices", choices=AB), ["a"], "a"),
        (Field("x", "choices", choices=AB), ["a"], [["a"]]),
    ],
)
def test_an_answer_fits_its_field(field: Field, fits: Any, does_not: Any) -> None:
    assert misfit((field,), {"x": fits}) is None
    wrong = misfit((field,), {"x": does_not})
    assert wrong is not None
    assert "`content.x`" in wrong


def test_an_answer_is_whole_and_says_no_more_than_was_asked() -> None:
    fields = (Field("x", "string", required=True), Field("y", "string"))
    assert misfit(fields, {"x": "a"}) is None
    assert misfit(fields, {"y": "a"}) == "`content.x` is required."
    assert "`content.z`" in str(misfit(fields, {"x": "a", "z": 1}))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://auth.example.org/a?b=c", "auth.example.org"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
        ("javascript:alert(1)", None),
        ("https://good.example@evil.example/", None),
        ("https://exämple.org/", None),
        ("https://a.b/c d", None),
        ("http://[x", None),
        ("file:///etc/passwd", None),
        ("", None),
    ],
)
def test_a_page_is_one_that_a_person_may_open(url: str, host: str | None) -> None:
    assert page_of(url) == host
