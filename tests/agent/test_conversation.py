"""What a model is shown compares by value: the same conversation is the same request."""

from agent.conversation import CallMade, Message, ToolSchema


def test_messages_of_the_same_content_are_equal() -> None:
    made = CallMade("c1", "bash", {"command": "ls"})
    assert Message("assistant", "", (made,)) == Message("assistant", "", (made,))
    assert Message("tool", "done", call="c1") != Message("tool", "done", call="c2")


def test_a_message_of_a_person_has_neither_calls_nor_a_result() -> None:
    said = Message("user", "Hi.")
    assert (said.calls, said.call) == ((), None)


def test_a_tool_is_told_with_its_schema() -> None:
    schema = ToolSchema("bash", "Runs a command.", {"type": "object"})
    assert schema.parameters == {"type": "object"}
