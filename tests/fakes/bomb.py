"""Little that becomes very much where it is inflated."""

import zlib
from functools import cache

INFLATED_MIB = 512


@cache
def bomb() -> bytes:
    """Blanks, which are JSON as far as they go, in gzip's format: half a megabyte."""
    deflate = zlib.compressobj(1, wbits=31)
    mib = b" " * 2**20
    return b"".join(deflate.compress(mib) for _ in range(INFLATED_MIB)) + deflate.flush()
