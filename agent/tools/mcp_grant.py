"""What a person was granted at a server of tools, and what it takes to be granted it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct


class Grant(Struct, frozen=True):
    """`home` is the server's address, and the only one that `access` is shown to; `expires` is in
    seconds of the epoch, None: nobody said. The rest is how it is renewed, and where."""

    home: str
    access: str
    refresh: str | None
    expires: float | None
    token_url: str
    client: str
    client_secret: str | None
    basic: bool
    """Whether the client's secret goes into a header, instead of the form."""
    resource: str | None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown."""
        return tuple(one for one in (self.access, self.refresh, self.client_secret) if one)


class Login(Protocol):
    """A grant of one user at one server, as it is now; another log-in has another `id`."""

    @property
    def id(self) -> str: ...

    @property
    def grant(self) -> Grant: ...

    async def keep(self, grant: Grant) -> None:
        """It was renewed. Raises Problem where it cannot be kept."""
        ...

    async def refused(self) -> None:
        """The server has taken it back: nothing is left to keep."""
        ...


class Returned(Struct, frozen=True):
    """What a browser brings back from the page where somebody consented."""

    code: str
    state: str
    issuer: str | None = None


class LogIn(Protocol):
    """Finds out where a person consents, sends them there by `redirect`, waits for what `returned`
    brings. Raises Problem."""

    async def __call__(
        self,
        url: str,
        back_to: str,
        redirect: Callable[[str], Awaitable[None]],
        returned: Callable[[], Awaitable[Returned]],
    ) -> Grant: ...
