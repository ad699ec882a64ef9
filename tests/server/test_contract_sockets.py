"""The AsyncAPI document describes both sockets, with every frame in its direction."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from server.contract.asyncapi import document
from server.contract.frames import BOARD, EVENTS, LIVE, SUBMISSIONS, name_of
from server.routes.table import ROUTES

DOCUMENT = document()
SOCKETS = {"session": "/api/sessions/{id}/socket", "dashboard": "/api/dashboard/socket"}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolved(document: Any, reference: str) -> Any:
    found = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def messages(action: str, channel: str) -> list[str]:
    """What an operation of that channel carries, in one direction."""
    return [
        reference.rpartition("/")[2]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == action and operation["channel"]["$ref"].endswith(f"/{channel}")
        for reference in references([operation["messages"], operation.get("reply", {})])
        if "/messages/" in reference
    ]


def test_it_is_asyncapi_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT.keys() >= {"info", "channels", "operations", "components"}
    assert DOCUMENT["info"].keys() >= {"title", "version"}


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    assert all(isinstance(resolved(DOCUMENT, reference), dict) for reference in found)


def test_its_channels_are_the_sockets_of_the_server() -> None:
    addresses = {name: channel["address"] for name, channel in DOCUMENT["channels"].items()}
    assert addresses == SOCKETS
    assert set(SOCKETS.values()) <= {route.path for route in ROUTES}


def test_a_channel_says_what_its_address_takes() -> None:
    session = DOCUMENT["channels"]["session"]
    assert list(session["parameters"]) == ["id"]
    assert list(session["bindings"]["ws"]["query"]["properties"]) == [
        *("after", "log", "most", "deltas")
    ]


def test_every_frame_travels_once_in_its_direction() -> None:
    heard, said = messages("receive", "session"), messages("send", "session")
    answers = ["accepted", "refused", "pong"]
    assert heard == [*map(name_of, SUBMISSIONS), *answers]
    assert sorted(said + answers) == sorted(map(name_of, (*EVENTS, *LIVE)))
    assert messages("send", "dashboard") == list(map(name_of, BOARD))
    assert messages("receive", "dashboard") == []


def test_an_operation_carries_only_what_its_channel_has() -> None:
    for name, channel in DOCUMENT["channels"].items():
        assert set(messages("send", name) + messages("receive", name)) == set(channel["messages"])


def test_every_message_has_a_schema_that_names_its_type() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        schema = resolved(DOCUMENT, message["payload"]["$ref"])
        Draft202012Validator.check_schema(schema)
        assert schema["properties"]["type"] == {"enum": [name]}
