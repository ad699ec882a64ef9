"""The contract as machines read it: three documents made of the code, each when first asked for."""

from functools import cache

import msgspec
from aiohttp import web

from agent.protocol import JsonObject


async def schema(request: web.Request) -> web.Response:
    return _served(_schema())


async def asyncapi(request: web.Request) -> web.Response:
    return _served(_asyncapi())


async def openapi(request: web.Request) -> web.Response:
    return _served(_openapi())


# What makes them is needed by nobody who never asks.


@cache
def _schema() -> bytes:
    from server.contract.frames import document

    return _written(document())


@cache
def _asyncapi() -> bytes:
    from server.contract.asyncapi import document

    return _written(document())


@cache
def _openapi() -> bytes:
    from server.routes.openapi import document

    return _written(document())


def _written(document: JsonObject) -> bytes:
    return msgspec.json.encode(document)


def _served(document: bytes) -> web.Response:
    return web.Response(body=document, content_type="application/json")
