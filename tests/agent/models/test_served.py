"""Asking a server once which models it has."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.errors import ConfigProblem
from agent.models.served import first_served


async def first_of(answer: web.Response, key: str | None = None) -> tuple[str, str | None]:
    """What was found, and the key that was shown for it."""
    shown: list[str | None] = []

    async def models(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        return answer

    app = web.Application()
    app.router.add_get("/v1/models", models)
    async with TestServer(app) as server:
        base = str(server.make_url("/v1/"))
        found = await asyncio.to_thread(first_served, base, key)
    return found, shown[0]


async def test_the_first_model_is_named_and_the_key_is_shown() -> None:
    answer = web.json_response({"object": "list", "data": [{"id": "llama", "x": 1}, {"id": "b"}]})
    assert await first_of(answer, "k") == ("llama", "Bearer k")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(web.json_response({"data": []}), id="no models"),
        pytest.param(web.json_response({"models": []}), id="another shape"),
        pytest.param(web.Response(text="<html>"), id="no JSON"),
        pytest.param(web.Response(status=404), id="no such address"),
    ],
)
async def test_what_says_nothing_is_told_with_a_way_out(answer: web.Response) -> None:
    with pytest.raises(ConfigProblem, match="--model"):
        await first_of(answer)


@pytest.mark.parametrize("base", ["http://127.0.0.1:9/v1", "not-a-url", "http://[/v1"])
def test_an_address_that_is_none_is_told(base: str) -> None:
    with pytest.raises(ConfigProblem, match="--api-base"):
        first_served(base, None)
