"""What the doors refuse: each with a code, an HTTP status, and a way out."""

from collections.abc import Mapping

from agent.errors import Problem

STATUS_OF: Mapping[str, int] = {
    "malformed": 422,
    "too_long": 422,
    "forbidden": 403,
    "unauthorized": 401,
    "login_failed": 401,
    "provider_unavailable": 503,
    "rate_limited": 429,
    "too_many_sessions": 429,
    "too_many_shares": 429,
    "server_full": 503,
    "unavailable": 503,
    "too_large": 413,
    "bad_request": 400,
    "bad_path": 400,
    "no_such_session": 404,
    "no_such_share": 404,
    "no_such_file": 404,
    "not_found": 404,
    "data_dir_read_only": 503,
    "log_damaged": 503,
    "store_busy": 503,
    "store_corrupt": 503,
    "store_failed": 503,
    "store_io_error": 503,
    "workspace_damaged": 503,
    "workspace_unusable": 503,
    "disk_full": 507,
    "no_room": 507,
}
"""The status of a problem that names none; every other refusal of a submission is a 409."""


class Refusal(Problem):
    """A request that is not granted; `retry_after` is in seconds."""

    def __init__(
        self, status: int, code: str, message: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.retry_after = retry_after


class Unauthorized(Refusal):
    """Nobody knows who is asking; `login` is where a browser finds that out."""

    def __init__(self, message: str, login: str | None = None) -> None:
        super().__init__(401, "unauthorized", message)
        self.login = login


class NoSuchSession(Refusal):
    """It is not there, or it is somebody else's: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__(404, "no_such_session", "There is no such session.")


class NoSuchShare(Refusal):
    """It never was, was revoked, or its link is too old: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__(
            404, "no_such_share", "There is no such share, or not any more. Ask for another link."
        )


class LogDamaged(Problem):
    """An event that is not one: the session cannot go on, the others can."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(
            "log_damaged", f"Event {seq} of this session is damaged ({why}). Restore a backup."
        )


def bad_request(message: str) -> Refusal:
    return Refusal(400, "bad_request", message)


def status_of(problem: Problem) -> int:
    return problem.status if isinstance(problem, Refusal) else STATUS_OF.get(problem.code, 409)
