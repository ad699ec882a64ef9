"""The three documents over HTTP, and that OpenAPI describes the calls the server answers."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from msgspec import Struct
from pytest_aiohttp.plugin import AiohttpClient

import server
from server.errors import STATUS_OF
from server.readiness import Report
from server.routes import schema
from server.routes.answers import ErrorAnswer, ErrorBody
from server.routes.call import Call
from server.routes.calls import CALLS
from server.routes.files import FileEntry, FileList
from server.routes.health import Alive, Me, ModelOffer, ModelOffers, WhoAmI
from server.routes.openapi import document
from server.routes.sessions import SessionPage
from server.routes.table import ROUTES
from server.wire import Session, Spent, encode
from tests.server.contract_samples import LOGGED
from tests.server.test_contract import frame_of
from tests.server.test_contract_sockets import references, resolved

DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]
SESSION = Session("s", "A title", "dev", "demo", "idle", "c", "a", 3, 1, 0, Spent(1, 2, None), None)
ANSWERS: tuple[Struct, ...] = (
    Alive("ok"),
    Report(True, (), ("no sandbox",)),
    WhoAmI(Me("dev", "dev", "operator"), "dev"),
    ModelOffers([ModelOffer("a", "A", 9, False, "Set A_KEY."), ModelOffer("b", "B", 9, True)], "b"),
    SESSION,
    SessionPage([SESSION], None),
    FileList([FileEntry("a.txt", 3, "now")]),
    ErrorAnswer(ErrorBody("busy", "Wait.", None)),
)
DOCUMENTS = ("schema", "asyncapi", "openapi")


def judge(name: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    )


def operation(method: str, path: str) -> dict[str, Any]:
    return dict(DOCUMENT["paths"][path][method])


def refusals() -> set[tuple[str, int]]:
    """Code and status of every refusal that names both, as the code of the server has them."""
    calls = [
        node.args[:2]
        for path in Path(server.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Refusal", "refusal")
    ]
    return {
        (str(code.value), int(str(status.value)))
        for status, code in calls
        if isinstance(status, ast.Constant) and isinstance(code, ast.Constant)
    }


# ---- over HTTP ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_is_built_once_and_served_as_json(
    name: str, aiohttp_client: AiohttpClient
) -> None:
    app = web.Application()
    app.add_routes(route for route in ROUTES if route.path == f"/api/{name}.json")
    client = await aiohttp_client(app)
    async with client.get(f"/api/{name}.json") as response:
        assert response.content_type == "application/json"
        first = await response.read()
    async with client.get(f"/api/{name}.json") as response:
        assert await response.read() == first
    built = getattr(schema, f"_{name}")
    assert built() is built()
    assert json.loads(first)["description" if name == "schema" else "info"]


# ---- OpenAPI -----------------------------------------------------------------------------------


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    names = [operation["operationId"] for path in DOCUMENT["paths"].values()
             for operation in path.values()]  # fmt: skip
    assert len(set(names)) == len(names) == len(CALLS)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    assert all(isinstance(resolved(DOCUMENT, reference), dict) for reference in found)


def test_it_describes_every_door_but_the_page() -> None:
    doors = {
        (route.method.lower(), route.path.replace(":.+", ""))
        for route in ROUTES
        if route.path != "/" and not route.path.startswith("/static/")
    }
    assert {(call.method, call.path) for call in CALLS} == doors


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_a_call_has_its_parameters_answers_and_the_shape_of_errors(call: Call) -> None:
    described = operation(call.method, call.path)
    in_path = [p["name"] for p in described["parameters"] if p["in"] == "path"]
    assert in_path == re.findall(r"{(\w+)}", call.path)
    assert {str(status) for status in call.answers} <= described["responses"].keys()
    assert all(answer["description"] for answer in described["responses"].values())
    error = described["responses"]["default"]["content"]["application/json"]["schema"]
    assert error == {"$ref": "#/components/schemas/ErrorAnswer"}
    refused = {refusal.split()[0] for refusal in call.refuses}
    assert ("404" in described["responses"]) == (call.of_a_session or "404" in refused)
    assert ("401" in described["responses"]) == (not call.is_open or "401" in refused)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_shape_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert not judge(name).is_valid(None)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_what_is_answered_is_valid_and_less_is_not(answer: Struct) -> None:
    shown = json.loads(encode(answer))
    right = judge(type(answer).__name__)
    assert list(right.iter_errors(shown)) == []
    assert list(right.iter_errors(shown | {"of_a_later_version": 1})) == []
    for name in shown:
        assert not right.is_valid({key: value for key, value in shown.items() if key != name})


def test_a_page_of_events_holds_events() -> None:
    page = {"events": [frame_of(e) for e in LOGGED], "head": 20, "oldest": 1, "more": False}
    assert list(judge("EventsPage").iter_errors(page)) == []
    assert not judge("EventsPage").is_valid(page | {"events": [{"type": "pong"}]})


def test_what_a_body_may_not_have_is_refused() -> None:
    assert judge("NewSessionBody").is_valid({"title": "A title"})
    assert not judge("NewSessionBody").is_valid({"titel": "A title"})
    assert not judge("ForkBody").is_valid({"after_turn": 7})


def test_a_submission_over_http_is_answered_as_the_socket_does() -> None:
    described = operation("post", "/api/sessions/{id}/submissions")
    body = described["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Submission"}
    statuses = {status for status, answer in described["responses"].items()
                if "#/components/schemas/refused" in references(answer)}  # fmt: skip
    assert statuses == {"403", "409", "422", "429", "503"}
    assert list(references(described["responses"]["200"])) == [
        "#/components/schemas/accepted",
        "#/components/schemas/pong",
    ]


def test_every_refusal_of_a_call_has_the_status_that_the_server_gives_it() -> None:
    given = dict(refusals())
    assert given
    for call in CALLS:
        for refusal in call.refuses:
            status, code = refusal.split()
            known = given.get(code, STATUS_OF.get(code, 409))
            assert int(status) == known, f"{call.path}: {refusal}"
