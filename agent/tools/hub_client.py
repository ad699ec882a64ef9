"""The only importer of huggingface_hub: its blocking calls, on threads of their own."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

from msgspec import Meta, Struct

from agent.errors import Problem
from agent.tools.hub_failures import compressed, late, refused, too_large, unreachable, unusable
from agent.tools.port import Keys

if TYPE_CHECKING:
    from huggingface_hub import HfApi, hf_api

    Api: TypeAlias = HfApi
    PaperInfo: TypeAlias = hf_api.PaperInfo

T = TypeVar("T")
Work = Callable[["Api"], T]
"""Runs on a thread with the library's client, whose token is the user's; what it returns is whole:
no iterator that has still to ask."""
Address = Annotated[str, Meta(pattern=r"^https?://[^/]+.*[^/]$")]
LARGEST_ANSWER = 16 * 1024 * 1024
_PLAIN = "identity"
_TRANSIENT = (408, 429, 500, 502, 503, 504)
_THREAD = threading.local()


class HubSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the Hub is, its dataset viewer, the graph of papers (`papers_key` is optional), and the
    router of `hf/...` models."""

    endpoint: Address = "https://huggingface.co"
    viewer: Address = "https://datasets-server.huggingface.co"
    papers: Address = "https://api.semanticscholar.org"
    router: Address = "https://router.huggingface.co/v1"
    papers_key: str | None = None


class Hub:
    """`home` is the library's folder. At most `threads` calls run and `waiting` wait for a thread;
    a call whose server is silent for `silence` seconds fails."""

    def __init__(
        self,
        endpoint: str,
        home: Path,
        *,
        threads: int = 8,
        waiting: int = 64,
        silence: float = 30,
        seconds: float = 120,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[Path], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._home = home
        self._executor = ThreadPoolExecutor(threads, "hub")
        self._room = threading.Semaphore(threads + waiting)
        self._silence = silence
        self._seconds = seconds
        self._clock = clock
        self._load = load or prepare
        self._loading: Future[None] | None = None

    async def ask(self, keys: Keys, work: Work[T], *, seconds: float | None = None) -> T:
        """Do `work` with the user's own token, or with none. Raises Problem.

        A cancelled or late call returns at once; its thread gives up before its next request.
        """
        await self._library()
        if not self._room.acquire(blocking=False):
            raise Problem("hub_busy", "Too many calls wait for the Hub. Try again in a minute.")
        whole = seconds or self._seconds
        job = _Job(keys.hub(), self._silence, whole, self._clock)
        future = self._executor.submit(self._run, job, work)
        future.add_done_callback(lambda _: self._room.release())
        try:
            async with asyncio.timeout(whole):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise late(whole) from None
        finally:
            job.stop.set()

    async def _library(self) -> None:
        """It takes seconds to load where much else is done: they are not those of the first call,
        whose user would be told that the Hub is silent."""
        if self._loading is None:
            self._loading = self._executor.submit(self._load, self._home)
        if not self._loading.done():
            await asyncio.shield(asyncio.wrap_future(self._loading))

    def _run(self, job: "_Job", work: Work[T]) -> T:
        _THREAD.job = job
        try:
            return self._with_library(job, work)
        finally:
            _THREAD.job = None

    def _with_library(self, job: "_Job", work: Work[T]) -> T:
        """The library's exceptions as problems; OSError holds its own and those of sockets."""
        prepare(self._home)
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        network: type[Exception] = HfHubHTTPError.__bases__[0]  # of httpx in 1.x, of httpx2 in 2.x
        try:
            return work(HfApi(self.endpoint, token=job.token or False))
        except HfHubHTTPError as error:
            raise _refused(error.response, error.server_message, job) from None
        except (network, OSError) as error:
            raise _broken_off(error, job) from None
        except (KeyError, TypeError, UnicodeError, AttributeError):
            raise unusable() from None
        except RuntimeError as error:  # around what broke an upload
            raise error.__cause__ if isinstance(error.__cause__, Problem) else unusable() from None
        except ValueError as error:
            if "JSON" in type(error).__name__:
                raise unusable() from None
            raise Problem("bad_arguments", f"{error}"[:1000]) from None


def additions(files: Iterable[tuple[str, bytes | str]]) -> list[Any]:
    """Of files to a commit: where each goes, and its bytes or its path here. In `Hub.ask` only."""
    from huggingface_hub import CommitOperationAdd

    return [CommitOperationAdd(path_in_repo=to, path_or_fileobj=what) for to, what in files]


class _Job:
    """What every request that the library makes for one call is held to."""

    def __init__(
        self, token: str | None, silence: float, whole: float, clock: Callable[[], float]
    ) -> None:
        self.token = token
        self.silence = silence
        self.stop = threading.Event()
        self._whole = whole
        self._deadline = clock() + whole
        self._clock = clock

    def check(self) -> None:
        if self.stop.is_set():
            raise Problem("hub_stopped", "Nobody waits for this call any more.")
        if self._clock() > self._deadline:  # the loop may be about to say so
            raise late(self._whole)


_PREPARED = threading.Lock()
_prepared = False


def prepare(home: Path) -> None:
    """Before the library's first use: it must not find the host's token, and never wait for ever.

    Its own time-outs are off (`timeout=None`, also in single calls), and it repeats what failed by
    itself, for as long as a server likes: both are taken over here.
    """
    global _prepared
    with _PREPARED:
        if _prepared:
            return
        os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        os.environ["HF_HOME"] = str(home)
        from huggingface_hub import set_client_factory
        from huggingface_hub.errors import HfHubHTTPError
        from huggingface_hub.utils._http import default_client_factory

        def client() -> Any:
            made: Any = default_client_factory()
            made.headers["Accept-Encoding"] = _PLAIN
            made.send = _once(made.send, HfHubHTTPError.__bases__[0])
            hooks = made.event_hooks
            made.event_hooks = {
                "request": [*hooks["request"], _before],
                "response": [*hooks["response"], _after],
            }
            return made

        set_client_factory(client)
        import_module("huggingface_hub.hf_api")  # which is most of it, and loaded when first used
        _prepared = True


def _once(send: Callable[..., Any], network: type[BaseException]) -> Callable[..., Any]:
    """What broke off ends as a problem: the library repeats only what it knows."""

    def sent(*given: Any, **how: Any) -> Any:
        try:
            return send(*given, **how)
        except network as error:
            job: _Job | None = getattr(_THREAD, "job", None)
            if job is None:
                raise
            raise _broken_off(error, job) from None

    return sent


def _broken_off(error: BaseException, job: _Job) -> Problem:
    return late(job.silence) if "Timeout" in type(error).__name__ else unreachable()


def _before(request: Any) -> None:
    job: _Job | None = getattr(_THREAD, "job", None)
    if job is not None:
        job.check()
    silence = job.silence if job else 30.0
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), silence)


def _after(response: Any) -> None:
    """What would be repeated inside of the library ends here, and so does what is too large."""
    response.iter_raw = _measured(response)
    job: _Job | None = getattr(_THREAD, "job", None)
    if job is not None and response.status_code in _TRANSIENT:
        raise _refused(response, None, job)


def _measured(response: Any) -> Callable[..., Iterator[bytes]]:
    """The library reads answers as a whole, and inflates each piece before anybody could measure
    it: a body must not be deflated."""
    raw = response.iter_raw

    def pieces(*given: Any, **how: Any) -> Iterator[bytes]:
        left = LARGEST_ANSWER
        for piece in raw(*given, **how):
            left -= len(piece)
            if response.headers.get("content-encoding", _PLAIN).lower() != _PLAIN:
                raise compressed()
            if left < 0:
                raise too_large(LARGEST_ANSWER)
            yield piece

    return pieces


def _refused(response: Any, says: str | None, job: _Job) -> Problem:
    headers = response.headers
    return refused(
        response.status_code,
        headers.get("X-Error-Code"),
        says or headers.get("X-Error-Message"),
        headers.get("Retry-After"),
        known=job.token is not None,
    )
