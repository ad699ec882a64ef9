"""What can go wrong in an agent: every problem has a code and says what to do next."""


class Problem(Exception):
    """A failure with a stable `code` and a `message` for people; both may be shown to a client."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Refused(Problem):
    """A submission that has no effect; `retry_after` is in seconds."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class ConfigProblem(Problem):
    """A setting that cannot be used; the message names the key and what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_config", message)


class Unrecorded(Problem):
    """A commit failed or its outcome is unknown: its actor must be rebuilt from the log."""

    def __init__(self, message: str) -> None:
        super().__init__("unavailable", message)
