"""Telling a repeat of a submission from another thing sent under the same id."""

from hashlib import blake2b

import msgspec

from agent.errors import Refused
from agent.nesting import DEEPEST, too_deep
from agent.protocol import AnySubmission

EXACT = 2**53
"""Up to here a number with a point and one without are the same for every reader of JSON."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(submission: AnySubmission) -> bytes:
    """16 bytes, the same for equal JSON values after defaults are filled in; 1 equals 1.0.

    Raises Refused where values are nested too deep.
    """
    plain = msgspec.to_builtins(submission)
    if too_deep(plain):
        raise Refused("malformed", f"Values are nested more than {DEEPEST} levels deep.")
    return blake2b(_encode(_plain(plain)), digest_size=16).digest()


def _plain(value: object) -> object:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if value.is_integer() and abs(value) <= EXACT:
            return int(value)
        case _:
            return value
