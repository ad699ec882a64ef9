"""The cookies of browsers, encrypted: one holds the id of a log-in, one log-ins under way."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from server.identity.openid import Attempt

if TYPE_CHECKING:
    from server.identity.cookie_jar import Jar, Session

ATTEMPT_SECONDS = 600
MOST_ATTEMPTS = 4
"""Log-ins that one browser has under way, as in several tabs; the oldest is forgotten."""
_DAY = 86_400


class Cookies:
    """`keys` are the vault's: the first encrypts, all decrypt."""

    def __init__(self, keys: Sequence[bytes], public_url: str | None, *, days: int) -> None:
        address = urlsplit(public_url or "")
        secure = address.scheme == "https"
        # Browsers tell cookies of one host apart by name, not by port.
        name = ("__Host-" if secure else "") + "mooring" + (f"-{address.port or ''}".rstrip("-"))
        self._logins = [_jar(key, name, secure, days * _DAY) for key in keys]
        self._attempts = [_jar(key, f"{name}-login", secure, ATTEMPT_SECONDS) for key in keys]

    async def login(self, request: web.Request) -> str | None:
        """The id of the log-in whose browser this is; whether that is still good, others know."""
        found = (await _content(self._logins, request)).get("login")
        return found if isinstance(found, str) else None

    async def remember(self, request: web.Request, response: web.Response, login: str) -> None:
        await _keep(self._logins, request, response, {"login": login})
        await _keep(self._attempts, request, response, {})

    async def forget(self, request: web.Request, response: web.Response) -> None:
        await _keep(self._logins, request, response, {})

    async def begin(
        self, request: web.Request, response: web.Response, attempt: Attempt, back_to: str
    ) -> None:
        """The browser keeps what it must come back with; nobody else can read or make it."""
        under_way = dict(await _content(self._attempts, request))
        under_way[attempt.state] = [attempt.nonce, attempt.verifier, back_to]
        kept = dict(list(under_way.items())[-MOST_ATTEMPTS:])
        await _keep(self._attempts, request, response, kept)

    async def take(self, request: web.Request, state: str) -> tuple[Attempt, str] | None:
        """The attempt of this browser with that state, and where it wanted to go."""
        match (await _content(self._attempts, request)).get(state):
            case [str(nonce), str(verifier), str(back_to)]:
                return Attempt(state, nonce, verifier), back_to
            case _:
                return None

    async def drop(self, request: web.Request, response: web.Response, state: str) -> None:
        """The attempt is over, however it went."""
        under_way = dict(await _content(self._attempts, request))
        if under_way.pop(state, None) is not None:
            await _keep(self._attempts, request, response, under_way)


def _jar(key: bytes, name: str, secure: bool, seconds: int) -> "Jar":
    from server.identity.cookie_jar import Jar

    return Jar(
        key.decode(),
        cookie_name=name,
        max_age=seconds,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


async def _content(jars: Sequence["Jar"], request: web.Request) -> Mapping[str, object]:
    """Of the cookie, with the key that opens it; garbage holds nothing."""
    for jar in jars:
        try:
            session = await jar.load_session(request)
        except UnicodeError:
            return {}
        if not session.new:
            return session
    return {}


async def _keep(
    jars: Sequence["Jar"],
    request: web.Request,
    response: web.Response,
    content: Mapping[str, object],
) -> None:
    session: Session = await jars[0].new_session()
    session.update(content)
    await jars[0].save_session(request, response, session)
