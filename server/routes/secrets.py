"""What a user keeps secret, by name: set, listed, removed, and never told again."""

from aiohttp import web
from msgspec import Struct

from server.errors import Refusal
from server.identity.wallet import Secret
from server.identity.ways_in import WAYS_IN
from server.keys import AUDIT, USER
from server.routes import asked
from server.routes.answers import json


class SecretBody(Struct, frozen=True, forbid_unknown_fields=True):
    value: str


class SecretList(Struct, frozen=True):
    secrets: tuple[Secret, ...]


async def listed(request: web.Request) -> web.Response:
    return json(SecretList(request.app[WAYS_IN].wallet.listed(request[USER].id)))


async def kept(request: web.Request) -> web.Response:
    given = await asked.body(request, SecretBody)
    wallet, user = request.app[WAYS_IN].wallet, request[USER].id
    name = request.match_info["name"]
    await wallet.set(user, name, given.value)
    request.app[AUDIT].record("secret_set", user, address=request.remote, name=name)
    return web.Response(status=204)


async def removed(request: web.Request) -> web.Response:
    name, user = request.match_info["name"], request[USER].id
    if not await request.app[WAYS_IN].wallet.remove(user, name):
        raise Refusal(404, "no_such_secret", f"You keep no secret {name[:64]!r}.")
    request.app[AUDIT].record("secret_removed", user, address=request.remote, name=name)
    return web.Response(status=204)
