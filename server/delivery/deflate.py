"""What is agreed with a client on permessage-deflate, and the socket that keeps to it."""

from collections.abc import Iterable, Mapping

from aiohttp import hdrs
from aiohttp.http import WebSocketReader
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict

from server.delivery.frames import WINDOW_BITS
from server.delivery.inflate import Inflating
from server.delivery.lean import LeanSocket

AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
"""Each message stands for itself: one is deflated once for all, and no context is kept for any."""
_MINE = f"; server_max_window_bits={WINDOW_BITS}"
_FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
_MOST_OFFERS = 10


def agreed(offers: Iterable[str]) -> str | None:
    """The answer to the extension headers of a handshake: to the first offer that can be met."""
    for offer in ",".join(offers).split(",")[:_MOST_OFFERS]:
        name, *given = (part.strip() for part in offer.split(";"))
        if name == "permessage-deflate" and (parameters := _read(given)) is not None:
            return AGREED + _MINE if "server_max_window_bits" in parameters else AGREED
    return None


def _read(given: list[str]) -> Mapping[str, str] | None:
    """What an offer asks for; None where that is not to be had, or not understood."""
    parameters: dict[str, str] = {}
    for parameter in given:
        name, _, value = (part.strip() for part in parameter.partition("="))
        if name in parameters or not _is_met(name, value.strip('"')):
            return None
        parameters[name] = value
    return parameters


def _is_met(name: str, value: str) -> bool:
    match name:
        case "server_max_window_bits":
            return value in _bits(WINDOW_BITS)
        case "client_max_window_bits":
            return not value or value in _bits(8)
        case _:
            return name in _FLAGS and not value


def _bits(least: int) -> tuple[str, ...]:
    return tuple(str(bits) for bits in range(least, 16))


class DeflatedSocket(LeanSocket):
    """Takes deflated messages of a client that agreed to it, and has neither a compressor that
    could ever write nor an inflater that it kept.

    Deflated frames are written to its transport ready made; aiohttp adds control frames only.
    """

    __slots__ = ("_before_parser", "deflates")

    _before_parser: WebSocketReader | None
    deflates: bool
    """Whether the client may be sent deflated frames; known once it is prepared."""

    def _handshake(self, request: BaseRequest) -> tuple["CIMultiDict[str]", str | None, int, bool]:
        headers, protocol, _, _ = super()._handshake(request)
        answer = agreed(request.headers.getall(hdrs.SEC_WEBSOCKET_EXTENSIONS, ()))
        if answer is not None:
            headers[hdrs.SEC_WEBSOCKET_EXTENSIONS] = answer
        self.deflates = answer is not None
        return headers, protocol, 0, False

    @property
    def _parser(self) -> WebSocketReader | None:
        """What the connection's bytes are given to: aiohttp sets it, and hands on what is here."""
        return self._before_parser

    @_parser.setter
    def _parser(self, parser: WebSocketReader | None) -> None:
        self._before_parser = parser
        if parser is not None and self.deflates:
            self._before_parser = Inflating(parser, self._max_msg_size)  # type: ignore[assignment]
