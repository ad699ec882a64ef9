"""Who is asking: what every room may know of a person."""

from typing import Literal, get_args

from msgspec import Struct

Role = Literal["viewer", "user", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may what those before it may."""
AuthMethod = Literal["dev", "token", "oauth"]


class User(Struct, frozen=True):
    """`id` owns sessions and signs what was done; `via` says how it was proven."""

    id: str
    name: str
    role: Role
    via: AuthMethod
    token: str | None = None
    """The id of the API token or log-in it came with: when that ends, so does the connection."""
