"""Telling a repeat of a submission from another thing sent under the same id."""

from hashlib import blake2b

import msgspec

from agent.protocol import AnySubmission

_encode = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(submission: AnySubmission) -> bytes:
    """16 bytes, the same for equal JSON values after defaults are filled in; 1 equals 1.0."""
    return blake2b(_encode(_plain(msgspec.to_builtins(submission))), digest_size=16).digest()


def _plain(value: object) -> object:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
