"""Who of those whom a provider vouches for is let in, as whom, and as what. Pure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from agent.protocol import MOORING
from server.errors import Refusal
from server.login_settings import LoginSettings
from server.people import Role

USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
"""What a user may be called."""
_RESERVED = {MOORING, "dev"}


class Claims(Struct, frozen=True):
    """What a provider says of somebody; `email` only where it was verified."""

    subject: str
    user: str | None = None
    name: str | None = None
    email: str | None = None
    groups: frozenset[str] = frozenset()
    orgs: frozenset[str] = frozenset()

    def called(self, known: str | None) -> "Claims":
        """An account keeps the name it first came by, whatever it calls itself now."""
        return self if known is None else msgspec.structs.replace(self, user=known)


class Visitor(Struct, frozen=True):
    """Somebody who is let in: the account `subject`, to be called `user`."""

    subject: str
    user: str
    name: str
    role: Role


def claims_of(said: Mapping[str, Any], settings: LoginSettings) -> Claims:
    """What is of another type than it should be counts as not said."""
    email = _text(said.get("email")) if said.get("email_verified") is True else None
    return Claims(
        subject=_text(said.get("sub")) or "",
        user=_text(said.get(settings.user_claim)),
        name=_text(said.get("name")),
        email=email,
        groups=_names(said.get(settings.groups_claim)),
        orgs=_names(said.get("orgs")),
    )


def joined(first: Claims, second: Claims) -> Claims:
    """What the first does not say is taken from the second, which is of the same account."""
    return Claims(
        first.subject,
        first.user or second.user,
        first.name or second.name,
        first.email or second.email,
        first.groups | second.groups,
        first.orgs | second.orgs,
    )


def is_enough(claims: Claims, settings: LoginSettings) -> bool:
    """Whether nothing that could be asked for is missing."""
    allow = settings.allow
    return (
        claims.user is not None
        and claims.name is not None
        and (claims.email is not None or not allow.domains)
        and (bool(claims.groups) or not allow.groups)
        and (bool(claims.orgs) or not allow.orgs)
    )


def admitted(claims: Claims, settings: LoginSettings) -> Visitor:
    """Raises Refusal `not_admitted`."""
    user = claims.user or ""
    if not USER.fullmatch(user) or user in _RESERVED:
        raise not_admitted(f"The name {user!r} cannot be a user's here.")
    allow = settings.allow
    box, _, domain = (claims.email or "").lower().rpartition("@")
    if not (
        allow.anyone
        or user in allow.users
        or user in settings.operators
        or claims.groups & set(allow.groups)
        or claims.orgs & set(allow.orgs)
        or (box and domain in {d.lower().lstrip("@") for d in allow.domains})
    ):
        raise not_admitted(f"{user} is not among those who may use this server.")
    role: Role = "operator" if user in settings.operators else "user"
    return Visitor(claims.subject, user, (claims.name or user)[:100], role)


def not_admitted(message: str) -> Refusal:
    return Refusal(403, "not_admitted", f"{message} Ask who runs it.")


def policy_of(settings: LoginSettings) -> str:
    """Other where what was granted, or who is let in, might be other: log-ins of before end."""
    decisive = (
        settings.address,
        settings.client_id,
        sorted(settings.wanted),
        settings.allow,
        sorted(settings.operators),
        settings.user_claim,
        settings.groups_claim,
    )
    return hashlib.sha256(msgspec.json.encode(decisive)).hexdigest()[:16]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _names(value: Any) -> frozenset[str]:
    """Of a list of names, or of objects that have one, as Hugging Face lists organisations: what
    they call themselves beside that, anybody may."""
    listed = value if isinstance(value, list) else []
    names = [one.get("preferred_username") if isinstance(one, dict) else one for one in listed]
    return frozenset(name for name in names if isinstance(name, str))
