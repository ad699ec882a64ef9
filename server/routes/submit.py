"""One client frame over HTTP: for curl, CI and webhooks."""

from aiohttp import web

from server.errors import STATUS_OF, Refusal
from server.keys import SESSIONS, USER
from server.routes import asked, submissions
from server.routes.answers import json
from server.times import timestamp
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
    answer = await submissions.answer(
        request.app[SESSIONS], request.match_info["id"], request[USER], submission, timestamp
    )
    if isinstance(answer, Refused):
        return json(answer, STATUS_OF.get(answer.code, 409))
    return json(answer)
