"""The `oauth` settings: at which provider people log in, and who of them is let in."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

HUGGING_FACE = "https://huggingface.co"
Days = Annotated[int, Meta(ge=1, le=400)]


class Allowed(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever one of these names is let in; `domains` are those of verified mail addresses."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    orgs: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    anyone: bool = False
    """Everybody whom the provider knows: at Hugging Face that is the world."""


class LoginSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`provider` huggingface fills in the rest; any other one is told by its issuer."""

    client_id: Annotated[str, Meta(min_length=1)]
    client_secret: str | None = None
    """None: a public client, which PKCE alone protects."""
    provider: Literal["openid", "huggingface"] = "openid"
    issuer: str | None = None
    scopes: tuple[str, ...] | None = None
    public_url: str | None = None
    """Where browsers reach this server; without it, the loopback address they ask for."""
    allow: Allowed = Allowed()
    operators: tuple[str, ...] = ()
    user_claim: str = "preferred_username"
    """Which claim becomes the user's id, the first time that somebody logs in."""
    groups_claim: str = "groups"
    login_days: Days = 30

    @property
    def address(self) -> str:
        """The issuer's."""
        known = HUGGING_FACE if self.provider == "huggingface" else ""
        return self.issuer or known

    @property
    def wanted(self) -> tuple[str, ...]:
        """The scopes that are asked for."""
        return self.scopes or ("openid", "profile", "email")

    @property
    def gives_hub_token(self) -> bool:
        """Whether its access tokens are the Hub's."""
        return self.provider == "huggingface"
