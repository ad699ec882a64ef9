"""The schema a model is given is one plain object."""

from agent.tools.plan import PlanArguments
from agent.tools.schema import schema_of
from agent.tools.shell import BashArguments


def test_descriptions_bounds_and_defaults_are_in_the_schema() -> None:
    schema = schema_of(BashArguments)
    assert schema["type"] == "object"
    assert schema["required"] == ["command"]
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == ["command", "description", "timeout"]
    assert schema["properties"]["timeout"]["maximum"] == 1200
    assert schema["properties"]["timeout"]["default"] == 240


def test_there_are_no_references_and_no_titles() -> None:
    schema = schema_of(PlanArguments)
    assert "$" not in str(schema)
    item = schema["properties"]["items"]["items"]
    assert "title" not in item
    assert item["required"] == ["id", "content", "status"]
    assert item["properties"]["status"]["enum"] == ["completed", "in_progress", "pending"]
