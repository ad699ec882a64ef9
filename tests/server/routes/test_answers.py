"""Errors in one shape, whatever went wrong, and never one answer inside another."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestClient, TestServer

from agent.errors import Problem, Refused
from server.errors import Refusal
from server.routes.answers import errors, secure

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Case:
    """What the handler does next."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.begins = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if self.begins:
            response.content_length = 1000
            await response.prepare(request)
            await response.write(b"half")
        if self.raises is not None:
            raise self.raises
        return web.Response(text="fine")


@pytest.fixture
def case() -> Case:
    return Case()


@pytest.fixture
async def client(case: Case) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=(errors,))
    app.on_response_prepare.append(secure)
    app.router.add_get("/", case.handle)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("raised", "status", "code", "retry_after"),
    [
        (Problem("bad_path", "Not there."), 400, "bad_path", None),
        (Problem("strange", "Strange."), 409, "strange", None),
        (Refused("unavailable", "Later.", 2.4), 503, "unavailable", 2.4),
        (Refusal(418, "teapot", "No.", retry_after=0.1), 418, "teapot", 0.1),
        (web.HTTPGone(), 410, "bad_request", None),
        (web.HTTPRequestEntityTooLarge(1, 2), 413, "too_large", None),
        (web.HTTPMethodNotAllowed("GET", ["PUT"]), 405, "method_not_allowed", None),
        (web.HTTPNotFound(), 404, "not_found", None),
        (ConnectionResetError(), 400, "bad_request", None),
        (ValueError("a secret"), 500, "internal_error", None),
    ],
)
async def test_what_went_wrong_is_told_in_one_shape(
    raised: Exception,
    status: int,
    code: str,
    retry_after: float | None,
    case: Case,
    client: TestClient[web.Request, web.Application],
) -> None:
    case.raises = raised
    async with client.get("/") as answer:
        body = await answer.json()
        assert (answer.status, body["error"]["code"]) == (status, code)
        assert body["error"]["retry_after"] == retry_after
        assert "secret" not in body["error"]["message"]
        wait = None if retry_after is None else str(max(1, round(retry_after)))
        assert answer.headers.get("Retry-After") == wait


async def test_a_redirection_is_no_error(
    case: Case, client: TestClient[web.Request, web.Application]
) -> None:
    case.raises = web.HTTPFound("/elsewhere")
    async with client.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")


@pytest.mark.parametrize("raised", [ValueError("x"), Problem("unavailable", "x"), web.HTTPGone()])
async def test_an_answer_that_broke_off_is_cut_and_not_followed_by_another(
    raised: Exception, case: Case, client: TestClient[web.Request, web.Application]
) -> None:
    case.begins, case.raises = True, raised
    async with client.get("/") as answer:
        assert answer.status == 200
        with pytest.raises(ClientPayloadError):
            await answer.read()
    case.begins, case.raises = False, None
    async with client.get("/") as answer:
        assert await answer.text() == "fine"
