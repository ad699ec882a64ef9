"""The origins besides the server's own whose pages may connect, as they are configured."""

from collections.abc import Collection

from aiohttp import web

ANY = "*"


class Origins:
    """`*` lets pages of everywhere in, but never with what a browser sends by itself."""

    def __init__(self, allowed: Collection[str]) -> None:
        self.named = frozenset(origin.rstrip("/").lower() for origin in allowed)

    def names(self, origin: str) -> bool:
        """Whether it is one of them by name."""
        return origin != ANY and origin.rstrip("/").lower() in self.named

    @property
    def everybody(self) -> bool:
        return ANY in self.named

    def answer_to(self, origin: str) -> str | None:
        """What `Access-Control-Allow-Origin` says to a page of `origin`, if anything."""
        if self.names(origin):
            return origin
        return ANY if self.everybody else None


ORIGINS = web.AppKey("origins", Origins)
