"""Logging in at the provider and out again, and tickets for browsers on other origins."""

import html

from aiohttp import hdrs, web
from msgspec import Struct

from agent.errors import Problem, Refused
from agent.protocol import MOORING
from server.errors import Refusal
from server.identity.login_flow import LoginFlow
from server.identity.tickets import SECONDS
from server.identity.ways_in import WAYS_IN
from server.keys import AUDIT, RATES, USER
from server.routes import asked
from server.routes.answers import json, problem_told

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mooring</title>
<h1>You are not logged in</h1><p>{message}</p>
<p><a href="/login">Log in</a> · <a href="/">Mooring</a></p></html>
"""


class LogoutBody(Struct, frozen=True, forbid_unknown_fields=True):
    everywhere: bool = False


class LoggedOut(Struct, frozen=True):
    """`redirect` is where a browser goes to be logged out of the provider, too."""

    redirect: str | None


class NewTicket(Struct, frozen=True):
    ticket: str
    expires_in: int


async def begin(request: web.Request) -> web.Response:
    """A browser is sent to the provider."""
    flow = _flow(request)
    try:
        request.app[RATES].login(request.remote or "")
        return await flow.begin(request)
    except (Refusal, Refused) as problem:
        return _told(request, problem)


async def finish(request: web.Request) -> web.Response:
    """It comes back, with a code or an error; either way this attempt is over.

    Where it has to wait it is not: the same address can be asked for again.
    """
    flow, audit = _flow(request), request.app[AUDIT]
    try:
        request.app[RATES].login(request.remote or "")
    except Refused as too_many:
        return _told(request, too_many)
    try:
        user, answer = await flow.finish(request)
        audit.record("login", user, address=request.remote)
        return answer
    except Refusal as refusal:
        audit.record("login_refused", MOORING, address=request.remote, code=refusal.code)
        answer = _told(request, _failed(request, refusal))
        await flow.give_up(request, answer)
        return answer


async def out(request: web.Request) -> web.Response:
    """Nothing is there to be ended for who came with a token, unless everywhere is meant."""
    wanted = await asked.body(request, LogoutBody)
    flow = request.app[WAYS_IN].flow
    if flow is None:
        return json(LoggedOut(None))
    redirect = await flow.out(request, request[USER], everywhere=wanted.everywhere)
    everywhere = "yes" if wanted.everywhere else "no"
    request.app[AUDIT].record(
        "logout", request[USER].id, address=request.remote, everywhere=everywhere
    )
    answer = json(LoggedOut(redirect))
    await flow.forget(request, answer)
    return answer


async def ticket(request: web.Request) -> web.Response:
    made = request.app[WAYS_IN].tickets.make(request[USER])
    return json(NewTicket(made, SECONDS), 201)


def _flow(request: web.Request) -> LoginFlow:
    flow = request.app[WAYS_IN].flow
    if flow is None:
        raise Refusal(404, "not_found", "Nobody logs in here: start it with --auth oauth.")
    return flow


def _failed(request: web.Request, refusal: Refusal) -> Problem:
    """What an address that failed is told; once it did so too often, to wait."""
    try:
        request.app[RATES].failure(request.remote or "")
    except Refused as too_many:
        return too_many
    return refusal


def _told(request: web.Request, problem: Problem) -> web.Response:
    """To a person as a page with a way out, to everybody else as every other error."""
    answer = problem_told(problem)
    if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
        answer.text = PAGE.format(message=html.escape(problem.message))
        answer.content_type = "text/html"
    return answer
