"""One client frame over HTTP: for curl, CI and webhooks."""

from aiohttp import web

from server.errors import STATUS_OF, Refusal
from server.identity.sharing import Standing
from server.keys import RELATION, ROW, USER
from server.routes import asked, submissions
from server.routes.answers import json
from server.wire import Refused


async def submit(request: web.Request) -> web.Response:
    """The socket's own answer; a refusal's status says its kind."""
    content = await asked.content_of(request)
    if len(content) > submissions.LONGEST_FRAME:
        raise Refusal(413, "too_large", "A frame has at most 1 MiB.")
    try:
        submission = submissions.read(content)
    except submissions.Malformed as problem:
        return json(submissions.malformed(problem), 422)
    standing = Standing(request[USER], request[ROW], request[RELATION])
    answer = await request.app[submissions.DESK].answer(standing, submission)
    if isinstance(answer, Refused):
        return json(answer, STATUS_OF.get(answer.code, 409))
    return json(answer)
