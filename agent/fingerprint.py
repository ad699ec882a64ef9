"""Telling a repeat of a submission from another thing sent under the same id."""

from hashlib import blake2b

import msgspec

from agent.errors import Refused
from agent.protocol import AnySubmission

DEEPEST = 100
"""Levels of lists and objects within each other; each reader of the log has to climb them too."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(submission: AnySubmission) -> bytes:
    """16 bytes, the same for equal JSON values after defaults are filled in; 1 equals 1.0.

    Raises Refused where values are nested too deep.
    """
    plain = _plain(msgspec.to_builtins(submission), DEEPEST)
    return blake2b(_encode(plain), digest_size=16).digest()


def _plain(value: object, deeper: int) -> object:
    if deeper < 0:
        raise Refused("malformed", f"Values are nested more than {DEEPEST} levels deep.")
    match value:
        case dict():
            return {key: _plain(item, deeper - 1) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, deeper - 1) for item in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
