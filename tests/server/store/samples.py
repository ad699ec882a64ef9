"""Small commits, sessions and tokens, for tests of the store."""

from typing import Any

import msgspec

from server.store.port import (
    Append,
    DraftKind,
    DraftPiece,
    Indexed,
    NewFork,
    NewSession,
    StoredReceipt,
)

IDLE = Indexed(
    title="A title",
    model="demo",
    state="idle",
    turn=None,
    queue=0,
    held=False,
    pending_approvals=0,
    input_tokens=0,
    output_tokens=0,
    cost_usd=0.0,
    context_used=0,
    context_limit=1000,
)


def indexed(**changes: Any) -> Indexed:
    return msgspec.structs.replace(IDLE, **changes)


def at(second: int) -> str:
    return f"2026-11-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000Z"


def body(seq: int, text: str = "") -> bytes:
    return b'{"seq":%d,"text":"%s"}' % (seq, text.encode())


def session(name: str = "s1", **changes: Any) -> NewSession:
    whole = NewSession(id=name, owner="ada", at=at(0), body=body(1), indexed=IDLE, at_most=1000)
    return msgspec.structs.replace(whole, **changes)


def commit(name: str, first: int, count: int = 1, **changes: Any) -> Append:
    whole = Append(
        session=name,
        first=first,
        at=at(first),
        bodies=tuple(body(seq) for seq in range(first, first + count)),
        receipts=(),
        closed=(),
        words=(),
        indexed=IDLE,
    )
    return msgspec.structs.replace(whole, **changes)


def fork(name: str, source: str, through: int, **changes: Any) -> NewFork:
    whole = NewFork(
        id=name,
        owner="ada",
        at=at(500),
        source=source,
        through=through,
        body=b'{"seq":1,"forked":true}',
        tail=(),
        indexed=IDLE,
        at_most=1000,
    )
    return msgspec.structs.replace(whole, **changes)


def receipt(name: str, seq: int) -> StoredReceipt:
    return StoredReceipt(id=name, fingerprint=name.encode() * 4, seq=seq)


def piece(
    item: str, offset: int, text: str, *, name: str = "s1", kind: DraftKind = "text"
) -> DraftPiece:
    return DraftPiece(session=name, turn="t1", item=item, kind=kind, offset=offset, text=text)
