"""A request is written as the protocol wants it."""

import msgspec
import pytest

from agent.conversation import CallMade, Message, ToolSchema
from agent.models import chat_request
from agent.models.port import ModelRequest

CALL = CallMade("c1", "bash", {"command": "ls ä"})


def written(*messages: Message, limit: int | None = None) -> dict[str, object]:
    request = ModelRequest("m", messages, max_output_tokens=limit)
    found: dict[str, object] = msgspec.json.decode(
        chat_request.body(request, "m", "max_tokens"), type=dict[str, object]
    )
    return found


def test_a_conversation_with_a_tool_call() -> None:
    conversation = (
        Message("system", "Be kind."),
        Message("user", "List."),
        Message("assistant", "", (CALL,)),
        Message("tool", "a.txt", call="c1"),
    )
    assert written(*conversation)["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "List."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "bash", "arguments": '{"command":"ls ä"}'},
                }
            ],
        },
        {"role": "tool", "content": "a.txt", "tool_call_id": "c1"},
    ]


def test_text_beside_calls_is_kept() -> None:
    assistant = chat_request.messages(ModelRequest("m", (Message("assistant", "So:", (CALL,)),)))
    assert assistant[0]["content"] == "So:"


def test_usage_is_asked_for_and_nothing_that_was_not_given() -> None:
    assert written(Message("user", "Hi.")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi."}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_the_limit_on_output_is_sent_where_one_is_given() -> None:
    assert written(Message("user", "Hi."), limit=7)["max_tokens"] == 7


def test_tools_are_those_of_the_request_whatever_was_written_before() -> None:
    first, second = (ToolSchema(name, "Run.", {"type": "object"}) for name in ("bash", "read"))
    before = chat_request.WrittenTools()
    for tools in ((first,), (first,), (first, second), (second,)):
        request = ModelRequest("m", (), tools)
        kept = chat_request.body(request, "m", "max_tokens", before)
        assert kept == chat_request.body(request, "m", "max_tokens")
        assert msgspec.json.decode(kept)["tools"] == chat_request.tools(tools)


def test_tools_are_described() -> None:
    schema = ToolSchema("bash", "Run.", {"type": "object"})
    assert chat_request.tools([schema]) == [
        {
            "type": "function",
            "function": {"name": "bash", "description": "Run.", "parameters": {"type": "object"}},
        }
    ]


@pytest.mark.parametrize(
    ("host", "field"),
    [
        ("127.0.0.1", "max_tokens"),
        ("router.huggingface.co", "max_tokens"),
        ("api.openai.com", "max_completion_tokens"),
        ("team.openai.azure.com", "max_completion_tokens"),
        ("api.openai.com.example", "max_tokens"),
    ],
)
def test_the_limit_is_named_as_the_host_knows_it(host: str, field: str) -> None:
    assert chat_request.limit_field(host) == field


def test_marks_for_the_cache_stand_behind_the_system_prompt_and_the_last_message() -> None:
    request = ModelRequest(
        "m", (Message("system", "Be kind."), Message("user", "Hi"), Message("user", "Go"))
    )
    first, middle, last = chat_request.cached(chat_request.messages(request))
    mark = {"type": "ephemeral"}
    assert first["content"] == [{"type": "text", "text": "Be kind.", "cache_control": mark}]
    assert middle["content"] == "Hi"
    assert last["content"] == [{"type": "text", "text": "Go", "cache_control": mark}]


def test_the_result_of_a_call_bears_its_mark_itself() -> None:
    request = ModelRequest("m", (Message("tool", "Done.", call="c1"),))
    (only,) = chat_request.cached(chat_request.messages(request))
    assert (only["content"], only["cache_control"]) == ("Done.", {"type": "ephemeral"})


def test_what_has_no_text_gets_no_mark() -> None:
    calls = (CallMade("c1", "bash", {}),)
    request = ModelRequest("m", (Message("assistant", "", calls=calls),))
    (only,) = chat_request.cached(chat_request.messages(request))
    assert only["content"] is None
