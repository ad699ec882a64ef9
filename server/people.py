"""Who is asking: what every room may know of a person."""

from typing import Literal

from msgspec import Struct

Role = Literal["viewer", "user", "operator"]
AuthMethod = Literal["dev", "token", "oauth"]


class User(Struct, frozen=True):
    """`id` owns sessions and signs what was done; `via` says how it was proven."""

    id: str
    name: str
    role: Role
    via: AuthMethod
    token: str | None = None
    """The id of the API token it came with: when that is revoked, so is the connection."""
