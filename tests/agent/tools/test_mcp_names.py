"""Names that every provider takes, and whose they are; schemas; arguments at a glance."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import JsonObject
from agent.tools.mcp_names import LARGEST_SCHEMA, names_of, told, wrong_with

FIT = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
servers = st.text("abcXYZ019-", min_size=1, max_size=24)
tools = st.lists(st.text(max_size=200), max_size=20)


def test_a_plain_name_is_kept() -> None:
    assert names_of("git", ["git_status", "diff-all"]) == {
        "mcp_git_git_status": "git_status",
        "mcp_git_diff-all": "diff-all",
    }


def test_a_name_that_had_to_be_changed_carries_a_mark_of_what_it_was() -> None:
    names = names_of("a", ["x.y", "x y", "x_y", "x" * 70, "x" * 71])
    assert len(names) == 5
    assert names["mcp_a_x_y"] == "x_y"


def test_what_is_somebody_elses_is_left_out() -> None:
    assert names_of("a", ["b", "c", "b"], taken={"mcp_a_c"}) == {"mcp_a_b": "b"}


@given(servers, tools)
def test_every_name_is_fit_for_every_provider(server: str, tools: list[str]) -> None:
    names = names_of(server, tools)
    assert all(FIT.match(name) for name in names)
    assert set(names.values()) == set(tools)


@given(servers, tools, st.randoms())
def test_a_tools_name_depends_on_nothing_but_itself(server: str, tools: list[str], by: Any) -> None:
    shuffled = [*tools]
    by.shuffle(shuffled)
    assert names_of(server, shuffled) == names_of(server, tools)
    for name, tool in names_of(server, tools).items():
        assert names_of(server, [tool]) == {name: tool}


@given(servers, servers, tools, tools)
def test_no_two_servers_mean_the_same_name(
    one: str, other: str, tools: list[str], others: list[str]
) -> None:
    if one != other:
        assert not {*names_of(one, tools)} & {*names_of(other, others)} or any(
            len(tool) > 30 for tool in (*tools, *others)
        )


DEEP: JsonObject = {"type": "object"}
for _ in range(150):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"$defs": {"a": {}}}, {"type": "object", "properties": {}, "$defs": {"a": {}}}),
        pytest.param({"type": "string"}, None, id="no object"),
        pytest.param(DEEP, None, id="too deep"),
        pytest.param({"title": "x" * LARGEST_SCHEMA}, None, id="too large"),
    ],
)
def test_a_schema_is_told_as_it_is_or_not_at_all(
    schema: JsonObject, shown: JsonObject | None
) -> None:
    assert told(schema) == shown


SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "x": {"type": "number"},
        "s": {"type": ["string", "null"]},
        "b": {"type": "boolean"},
        "kind": {"enum": ["a", "b"]},
        "any": True,
        "odd": {"type": "hologram"},
        "list": {"type": "array"},
        "object": {"type": "object"},
    },
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"n": 1}, None),
        ({"n": 1.0}, None),
        ({"n": 1, "x": 1, "s": None, "b": True, "kind": "a", "any": [], "odd": 3}, None),
        ({"n": 1, "list": [], "object": {}}, None),
        ({}, "missing: n"),
        ({"n": 1, "y": 1}, "unknown: y"),
        ({"n": "1"}, "`n` must be of type integer"),
        ({"n": 1.5}, "`n` must be of type integer"),
        ({"n": True}, "`n` must be of type integer"),
        ({"n": 1, "s": 2}, "`s` must be of type string or null"),
        ({"n": 1, "b": 0}, "`b` must be of type boolean"),
        ({"n": 1, "kind": "c"}, '`kind` must be one of ["a","b"]'),
        ({"n": 1, "object": []}, "`object` must be of type object"),
    ],
)
def test_what_can_be_seen_at_a_glance_is_told(arguments: JsonObject, wrong: str | None) -> None:
    assert wrong_with(SCHEMA, arguments) == wrong


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": 7, "required": "n"},
        {"properties": {"a": 7}, "required": [7]},
        {"additionalProperties": False, "patternProperties": {"(a+)+$": {}}},
        {"properties": {"a": {"type": 7, "enum": 8, "pattern": "(a+)+$"}}},
    ],
)
def test_a_schema_that_is_none_finds_nothing(schema: JsonObject) -> None:
    assert wrong_with(schema, {"a": "a" * 40 + "!"}) is None
