"""The notify tool: a word to people who are not looking, where the operator wants such words."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from agent.errors import Problem
from agent.protocol import Effect
from agent.tools.egress import Egress
from agent.tools.hub_web import EVERYWHERE
from agent.tools.port import Call, Outcome

SECONDS = 10
PlaceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Address = Annotated[str, Meta(pattern=r"^https?://[^/\s]+\S*$")]


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a word can be sent; a configuration object. `url` is as secret as a key.

    `slack` is what Slack and those like it (Mattermost, Rocket.Chat, Discord behind /slack) take,
    `json` an object `{title, text}`.
    """

    url: Address
    format: Literal["slack", "json"] = "slack"


class NotifyArguments(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[
        str,
        Meta(min_length=1, max_length=2000, description="What they should know, without secrets."),
    ]
    title: Annotated[str, Meta(max_length=100, pattern=r"^[^\r\n]*$")] = ""
    to: Annotated[str | None, Meta(description="The place, where there are several.")] = None


class Notify:
    """Redirects are not followed: a word goes to the address that was written down, or nowhere."""

    name = "notify"
    effect: Effect = "execute"
    arguments: type[Struct] = NotifyArguments

    def __init__(self, places: Mapping[str, Place], egress: Egress | None = None) -> None:
        self._places = places
        self._egress = egress or Egress(allow=EVERYWHERE, seconds=SECONDS, max_redirects=0)
        self.description = (
            "Send a short message to people who are not looking at this conversation, such as when"
            " long work has ended or only they can help. Not for what you can say here, and once"
            f" for each thing. Places: {', '.join(places)}."
        )

    async def run(self, arguments: Any, call: Call) -> Outcome:
        asked: NotifyArguments = arguments
        name = asked.to or next(iter(self._places))
        place = self._places.get(name)
        if place is None or (asked.to is None and len(self._places) > 1):
            there = f"Name one of {', '.join(self._places)} in `to`"
            return Outcome("error", f"Nothing was sent. {there}.")
        try:
            status = await self._send(place, asked)
        except Problem:  # its words name the address
            return Outcome("error", f"{name} could not be reached. Go on without it.")
        if status >= 400:
            return Outcome("error", f"{name} did not take it (status {status}). Go on without it.")
        return Outcome("ok", f"Sent to {name}.")

    async def _send(self, place: Place, asked: NotifyArguments) -> int:
        said = {"title": asked.title, "text": asked.text}
        if place.format == "slack":
            bold = f"*{asked.title}*\n" if asked.title else ""
            said = {"text": f"{bold}{asked.text}"}
        return (await self._egress.request("POST", place.url, json=said)).status
