"""What the command line and the environment decided about one run of the server."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

AuthMode = Literal["auto", "dev", "token", "oauth"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


class ServeSettings(Struct, frozen=True):
    """The flags of `mooring serve`: a field is a flag, and `MOORING_` with its name in capitals."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8765
    """0 takes a free one."""
    config: Path | None = None
    model: str | None = None
    api_base: str | None = None
    auth: AuthMode = "auto"
    insecure_no_auth: bool = False
    log_format: LogFormat = "text"
    log_level: LogLevel = "info"
    no_browser: bool = False
