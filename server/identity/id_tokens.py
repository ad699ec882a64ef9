"""Id tokens: whether they are signed by the provider, for us, for this log-in, and still good.

The library and its ciphers are loaded where log-ins are configured, not in every server.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from joserfc.jwk import KeySet as KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signed with a key that only the provider has: never `none`, never a shared secret."""
LEEWAY = 60
"""Seconds by which clocks may differ."""


class Expected(Struct, frozen=True):
    issuer: str
    client: str
    nonce: str


class UnknownKey(Exception):
    """Signed with a key that is not in the set: it may have been published since."""


class Unacceptable(Exception):
    """Not a token to let anybody in by; says why."""


def load() -> None:
    """The library, while the server starts: nobody's log-in has to wait for it."""
    import_module("joserfc.jwt")


def key_set(published: Mapping[str, Any]) -> "KeySet":
    """Raises Unacceptable where there is no usable key in it."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    keys = published.get("keys")
    usable = [k for k in keys if isinstance(k, dict)] if isinstance(keys, list) else []
    signing = [k for k in usable if k.get("use", "sig") == "sig" and k.get("kty") != "oct"]
    try:
        return KeySet.import_key_set({"keys": signing})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unacceptable(f"its keys cannot be read ({type(error).__name__})") from None


def verified(token: str, keys: "KeySet", expected: Expected, now: float) -> Mapping[str, Any]:
    """What it claims. Raises UnknownKey or Unacceptable."""
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError

    try:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except InvalidKeyIdError:
        raise UnknownKey from None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise Unacceptable(f"its signature does not hold ({type(error).__name__})") from None
    if (why := _wrong(claims, expected, now)) is not None:
        raise Unacceptable(why)
    return claims


def _wrong(claims: Mapping[str, Any], expected: Expected, now: float) -> str | None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    ends, made = claims.get("exp"), claims.get("iat", now)
    if claims.get("iss") != expected.issuer:
        return "it was issued by somebody else"
    if expected.client not in audiences:
        return "it is for another client"
    if claims.get("azp", expected.client) != expected.client:
        return "it was given to another client"
    if not isinstance(ends, int | float) or ends + LEEWAY <= now:
        return "it has expired"
    if not isinstance(made, int | float) or made - LEEWAY > now:
        return "it is of the future"
    if claims.get("nonce") != expected.nonce:
        return "it belongs to another log-in"
    subject = claims.get("sub")
    return None if isinstance(subject, str) and 0 < len(subject) <= 255 else "it names nobody"
