"""Times as the contract writes them."""

from datetime import UTC, datetime


def timestamp() -> str:
    """RFC 3339 UTC with milliseconds."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def today() -> str:
    """The day in UTC, as 2026-01-31."""
    return datetime.now(UTC).date().isoformat()
