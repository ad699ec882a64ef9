"""Plain HTTP to the Hub and its neighbours: what its library has no call for."""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct
from yarl import URL

from agent.errors import Problem
from agent.tools.egress import MIB, Answer, Egress
from agent.tools.hub_failures import late, refused, unreachable, unusable
from agent.tools.port import Keys, NoKeys

T = TypeVar("T")
EVERYWHERE = ("0.0.0.0/0", "::/0")
NOBODY = NoKeys()
Query = Mapping[str, str | int]
NO_QUERY: Query = {}
Headers = Mapping[str, str]
NO_HEADERS: Headers = {}


class _Complaint(Struct):
    error: str = ""
    message: str = ""


class HubWeb:
    """One service, at the address that the configuration names, be it public or not.

    Raises Problem, with the codes of `hub_failures`.
    """

    def __init__(
        self,
        base: str,
        *,
        egress: Egress | None = None,
        seconds: float = 30,
        max_bytes: int = 16 * MIB,
    ) -> None:
        self.base = base
        self._seconds = seconds
        self._egress = egress or Egress(allow=EVERYWHERE, seconds=seconds, max_bytes=max_bytes)

    async def get(
        self,
        path: Sequence[str],
        *,
        keys: Keys = NOBODY,
        accept: str = "*/*",
        headers: Headers = NO_HEADERS,
        query: Query = NO_QUERY,
    ) -> Answer:
        """The user's token goes to this service, and not where it redirects to."""
        answer = await self.look(path, keys=keys, accept=accept, headers=headers, query=query)
        if answer.status < 400:
            return answer
        known = keys.hub() is not None
        raise refused(
            answer.status, answer.error_code, said(answer), answer.retry_after, known=known
        )

    async def look(
        self,
        path: Sequence[str],
        *,
        keys: Keys = NOBODY,
        accept: str = "*/*",
        headers: Headers = NO_HEADERS,
        query: Query = NO_QUERY,
    ) -> Answer:
        """Whatever it answers, also a refusal."""
        if {"", ".", ".."}.intersection(path):  # would lead to another call than is meant
            raise Problem("bad_arguments", "A path must not have . or .. or nothing as a part.")
        parts = "/".join(quote(part, safe="@") for part in path)
        url = URL(f"{self.base}/{parts}", encoded=True).with_query(query)
        token = keys.hub()
        own = {"Authorization": f"Bearer {token}"} if token else {}
        sent = {"Accept": accept, **headers, **own}
        try:
            return await self._egress.request("GET", str(url), headers=sent)
        except Problem as problem:
            if problem.code == "timed_out":
                raise late(self._seconds) from None
            raise unreachable() from None

    async def json(
        self,
        path: Sequence[str],
        shape: type[T],
        *,
        keys: Keys = NOBODY,
        headers: Headers = NO_HEADERS,
        query: Query = NO_QUERY,
    ) -> T:
        accept = "application/json"
        answer = await self.get(path, keys=keys, accept=accept, headers=headers, query=query)
        return decoded(answer, shape)


def decoded(answer: Answer, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeError):
        raise unusable() from None


def said(answer: Answer) -> str:
    """The words of a refusal."""
    try:
        complaint = msgspec.json.decode(answer.body, type=_Complaint)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    return complaint.error or complaint.message
