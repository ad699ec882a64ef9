"""The vocabulary as it is written: names, defaults, and what is refused at the door."""

import json
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import (
    AnyEvent,
    AnySubmission,
    Approval,
    ApprovalRequired,
    ApprovalResolved,
    AssistantMessage,
    AutoApproval,
    Compact,
    Compacted,
    Decision,
    ErrorNote,
    InputQueued,
    Interrupt,
    Notice,
    Origin,
    Question,
    Retrying,
    SessionCreated,
    SessionEnded,
    SessionUpdated,
    SetAutoApproval,
    SetModel,
    ToolCall,
    ToolOutput,
    TurnEnded,
    TurnError,
    Usage,
    UserInput,
    UserMessage,
    decode_event,
    decode_submission,
    encode_event,
)

SUBMISSIONS = """user_input approval answer interrupt resume withdraw undo retry compact set_model
    set_auto_approval shutdown ping"""
EVENTS = """session_created input_queued input_withdrawn user_message turn_started
    assistant_message tool_call approval_required approval_resolved tool_started tool_output
    step question_asked question_answered job_started job_ended plan_updated usage retrying
    notice compacted turn_undone session_updated turn_ended session_ended"""


@pytest.mark.parametrize(
    ("union", "names"), [(AnySubmission, SUBMISSIONS), (AnyEvent, EVENTS)], ids=["in", "out"]
)
def test_the_names_are_those_of_the_contract(union: object, names: str) -> None:
    assert {kind.__struct_config__.tag for kind in get_args(union)} == set(names.split())


@pytest.mark.parametrize(
    ("text", "submission"),
    [
        ('{"type":"user_input","id":"a","text":"hi"}', UserInput("a", "hi")),
        ('{"type":"interrupt","id":"a"}', Interrupt("a", None, "hold")),
        ('{"type":"compact","id":"a"}', Compact("a")),
        ('{"type":"set_model","id":"a","model":"m1"}', SetModel("a", "m1")),
        (
            '{"type":"set_auto_approval","id":"a","enabled":true,"cost_cap_usd":5}',
            SetAutoApproval("a", True, 5.0),
        ),
        (
            '{"type":"approval","id":"a","decisions":[{"call":"c1","decision":"reject"}]}',
            Approval("a", (Decision("c1", "reject"),)),
        ),
    ],
)
def test_a_frame_is_read_with_its_defaults(text: str, submission: AnySubmission) -> None:
    assert decode_submission(text) == submission


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param('{"type":"undo"}', "`id`", id="no id"),
        pytest.param('{"type":"undo","id":""}', r"\$\.id", id="an empty id"),
        pytest.param(
            '{"type":"undo","id":"' + "x" * 65 + '"}', r"\$\.id", id="an id of 65 characters"
        ),
        pytest.param('{"type":"undo","id":1}', r"\$\.id", id="an id that is a number"),
        pytest.param('{"type":"undo","id":"a","more":1}', "`more`", id="a field nobody knows"),
        pytest.param(
            '{"type":"dance","id":"a"}', r"'dance' - at `\$\.type`", id="a type nobody knows"
        ),
        pytest.param('{"id":"a"}', "`type`", id="no type"),
        pytest.param('{"type":"user_input","id":"a"}', "`text`", id="input without text"),
        pytest.param(
            '{"type":"user_input","id":"a","text":"x","delivery":"now"}',
            r"\$\.delivery",
            id="another delivery",
        ),
        pytest.param(
            '{"type":"interrupt","id":"a","queue":"keep"}',
            r"\$\.queue",
            id="another fate of the queue",
        ),
        pytest.param(
            '{"type":"approval","id":"a","decisions":[]}',
            r"\$\.decisions",
            id="an approval of nothing",
        ),
        pytest.param(
            '{"type":"set_model","id":"a","model":""}', r"\$\.model", id="a model without a name"
        ),
        pytest.param("[]", "Expected `object`", id="no object"),
        pytest.param("{", "truncated", id="no JSON"),
        pytest.param(
            '{"type":"approval","id":"a","decisions":[{"call":"c","decision":"maybe"}]}',
            r"\$\.decisions\[0\]\.decision",
            id="a ruling that is none",
        ),
        pytest.param(
            '{"type":"approval","id":"a","decisions":[{"call":"c","decision":"approve",'
            '"arguments":[]}]}',
            r"\$\.decisions\[0\]\.arguments",
            id="arguments that are no object",
        ),
        pytest.param(
            '{"type":"set_auto_approval","id":"a","enabled":true,"cost_cap_usd":-1}',
            r"\$\.cost_cap_usd",
            id="a cap below zero",
        ),
    ],
)
def test_a_frame_that_is_wrong_is_refused_by_field(text: str, named: str) -> None:
    with pytest.raises(msgspec.DecodeError, match=named):
        decode_submission(text)


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        pytest.param(
            AssistantMessage("t1", "i1", ""), {"turn": "t1", "item": "i1", "text": ""},
            id="a message without text has it all the same",
        ),
        pytest.param(
            UserMessage("t1", "s1", "Hi.", "ann"),
            {"turn": "t1", "submission": "s1", "text": "Hi.", "author": "ann"},
            id="what is at its default is left out",
        ),
        pytest.param(
            ToolOutput("t1", "c1", "ok", "", False, 0, 0.0),
            {"turn": "t1", "call": "c1", "status": "ok", "output": "", "truncated": False,
             "size": 0, "seconds": 0.0},
            id="what has no default is written even when it is nothing",
        ),
        pytest.param(
            Usage("m1", 1, 2, 0, None, "main"),
            {"model": "m1", "input_tokens": 1, "output_tokens": 2, "cached_tokens": 0,
             "cost_usd": None, "purpose": "main"},
            id="an unknown cost is null",
        ),
        pytest.param(
            ApprovalRequired("t1", (Question("c1", "bash", {}, "it runs"),)),
            {"turn": "t1",
             "calls": [{"call": "c1", "tool": "bash", "arguments": {}, "reason": "it runs"}]},
            id="a question without a price",
        ),
        pytest.param(
            ApprovalResolved("t1", (Decision("c1", "approve"),), "ann", "s1"),
            {"turn": "t1", "decisions": [{"call": "c1", "decision": "approve"}], "by": "ann",
             "submission": "s1"},
            id="a plain ruling",
        ),
        pytest.param(
            TurnEnded("t1", "failed", error=TurnError("unreachable", "Gone.", True)),
            {"turn": "t1", "status": "failed",
             "error": {"code": "unreachable", "message": "Gone.", "retryable": True}},
            id="an error says whether to try again",
        ),
    ],
)  # fmt: skip
def test_an_event_is_written(event: AnyEvent, fields: dict[str, object]) -> None:
    written = json.loads(encode_event(event))
    assert written.pop("type") == event.__struct_config__.tag
    assert written == fields


def test_what_the_store_adds_to_an_event_is_passed_over() -> None:
    text = '{"seq":7,"at":"now","type":"session_ended","reason":"shutdown"}'
    assert decode_event(text) == SessionEnded("shutdown")


NAMES = st.text(min_size=1, max_size=8)
OBJECTS = st.dictionaries(NAMES, st.none() | st.booleans() | NAMES, max_size=3)
WRITTEN = st.one_of(
    st.builds(SessionCreated, NAMES, NAMES, st.none() | st.builds(Origin, NAMES, NAMES)),
    st.builds(InputQueued, NAMES, NAMES, st.sampled_from(["queue", "steer"]), NAMES),
    st.builds(ToolCall, NAMES, NAMES, NAMES, OBJECTS, st.just("read"), st.none() | NAMES),
    st.builds(Notice, NAMES, NAMES, st.none() | NAMES),
    st.builds(Compacted, st.integers(0, 9), st.integers(0, 9), NAMES, st.integers(0, 9)),
    st.builds(
        Retrying, st.integers(1, 3), st.just(3), st.just(0.5), st.builds(ErrorNote, NAMES, NAMES)
    ),
    st.builds(
        SessionUpdated,
        NAMES,
        st.none() | NAMES,
        st.none(),
        st.none() | st.builds(AutoApproval, st.booleans()),
    ),
)


@given(WRITTEN)
def test_an_event_that_is_read_back_is_the_same(event: AnyEvent) -> None:
    assert decode_event(encode_event(event)) == event
