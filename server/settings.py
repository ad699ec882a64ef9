"""What the command line decided about one run of the server."""

from pathlib import Path
from typing import Literal

from msgspec import Struct

AuthMode = Literal["auto", "dev", "token", "oauth"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


class ServeSettings(Struct, frozen=True):
    """The flags of `mooring serve`, after the environment and the defaults."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8765
    """0 takes a free one."""
    config: Path | None = None
    model: str | None = None
    api_base: str | None = None
    auth: AuthMode = "auto"
    insecure_no_auth: bool = False
    log_format: LogFormat = "text"
    log_level: LogLevel = "info"
    open_browser: bool = False
    """Show the page to the person at this terminal once the server listens."""
