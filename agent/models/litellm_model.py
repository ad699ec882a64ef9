"""Every provider that has no adapter of its own, through litellm; imported here and only here."""

import asyncio
import gc
import importlib
import os
import re
import time
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from types import ModuleType
from typing import Any

import aiohttp

from agent.conversation import ToolSchema
from agent.models import chat_request, failures
from agent.models.litellm_reply import LiteLLMReply, Usages, provider_of, said_why
from agent.models.port import ModelError, ModelRequest, Piece

NOBODY = "http://127.0.0.1:9/v1"
"""An address on this host that refuses: enough for litellm to build its clients."""
WRAPPINGS = re.compile(r"^((litellm\.)?(\w+(Error|Exception)|Timeout( Error)?)\s*[:-]\s*)+")
"""What litellm puts before a provider's own words."""
UNREACHED = re.compile(r"connection error|cannot connect|connect call failed", re.IGNORECASE)
LOST = re.compile(
    r"payload is not completed|disconnected|peer closed|incomplete|connection (lost|reset|closed)",
    re.IGNORECASE,
)
MARKS_CACHE = re.compile(r"(?:^|/)(?:anthropic[./]|claude)")
"""Models that read a conversation anew each time, unless they are told where it was the same."""
CHUNKS_ON_END = 8
"""After so many chunks others have their turn, also where one read brought hundreds: each takes
litellm a third of a millisecond."""
NO_JSON = re.compile(r"json|^(expecting|unterminated|extra data|invalid control)", re.IGNORECASE)


class LiteLLM:
    """One adapter for all sessions; ids are litellm's. `warm` takes two seconds, on a thread.

    Without `api_base` each provider's own address is used, and without a key its own variable.
    Times are in seconds: for a whole request, between two chunks, and for usage once the model
    said why it stopped.
    """

    def __init__(
        self,
        *,
        api_base: str | None = None,
        key: Callable[[], str | None] = lambda: None,
        request_seconds: float = 600,
        silence_seconds: float = 300,
        tail_seconds: float = 5,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api_base = api_base
        self._key = key
        self._request_seconds = request_seconds
        self._silence_seconds = silence_seconds
        self._tail_seconds = tail_seconds
        self._clock = clock
        self._loading = asyncio.Lock()
        self._litellm: ModuleType | None = None
        self._http: aiohttp.ClientSession | None = None

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Piece, None]:
        litellm = await self._loaded()
        deadline = asyncio.get_running_loop().time() + self._request_seconds
        reply = LiteLLMReply(litellm, request.model)
        try:
            opened = await self._within(deadline, self._open(litellm, request))
            opened.chunks = Usages()
            async with aclosing(opened) as chunks:
                while (chunk := await self._next(deadline, chunks, reply)) is not None:
                    for piece in reply.take(chunk):
                        yield piece
        except TimeoutError:
            raise failures.failure("timed_out", provider_of(request.model)) from None
        except litellm.exceptions.openai.OpenAIError as problem:
            raise self._failed(litellm, problem, request) from None
        for piece in reply.end(is_whole=said_why(opened)):
            yield piece

    async def warm(self) -> None:
        """Import, open the pool, do what is slow in a first call; nothing leaves this host."""
        litellm = await self._loaded()
        hello: dict[str, Any] = {
            "model": "openai/warm",
            "messages": [{"role": "user", "content": "hi"}],
            "tools": chat_request.tools([ToolSchema("none", "", {"type": "object"})]),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async for _ in await litellm.acompletion(**hello, mock_response="Warm."):
            pass
        with suppress(litellm.exceptions.openai.OpenAIError):
            await litellm.acompletion(
                **hello, max_retries=0, timeout=1, api_base=NOBODY, api_key="none",
                shared_session=self._http,
            )  # fmt: skip
        # litellm leaves 160 MB of objects that never go away: no collection need visit them again.
        gc.collect()
        gc.freeze()

    async def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _loaded(self) -> ModuleType:
        async with self._loading:
            litellm = self._litellm
            if litellm is None:
                thread = ThreadPoolExecutor(1, thread_name_prefix="litellm-import")
                try:
                    loop = asyncio.get_running_loop()
                    litellm = await loop.run_in_executor(thread, _load)
                finally:
                    thread.shutdown(wait=False)
            self._litellm = litellm
            if self._http is None:
                self._http = aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), trust_env=self._api_base is None
                )
            return litellm

    async def _open(self, litellm: ModuleType, request: ModelRequest) -> Any:
        written = chat_request.messages(request)
        marks = MARKS_CACHE.search(request.model)
        asked: dict[str, Any] = {"messages": chat_request.cached(written) if marks else written}
        if request.effort is not None:
            asked["reasoning_effort"] = request.effort
        if request.tools:
            asked["tools"] = chat_request.tools(request.tools)
        if request.max_output_tokens is not None:
            asked["max_tokens"] = request.max_output_tokens
        return await litellm.acompletion(
            model=request.model,
            stream=True,
            stream_options={"include_usage": True},
            drop_params=True,
            max_retries=0,
            timeout=self._request_seconds,
            api_base=self._api_base,
            api_key=request.key or self._key(),
            shared_session=self._http,
            **asked,
        )

    async def _next(self, deadline: float, chunks: Any, reply: LiteLLMReply) -> Any:
        """The next chunk, or None. Nothing is asked for behind a whole reply: litellm would only
        go through it again for its own logs."""
        if reply.whole:
            return None
        if reply.chunks % CHUNKS_ON_END == CHUNKS_ON_END - 1:
            await asyncio.sleep(0)
        try:
            if asyncio.get_running_loop().time() >= deadline:
                raise TimeoutError  # no timer tells whoever never waits
            return await self._within(deadline, anext(chunks, None), reply.stopped)
        except TimeoutError:
            if reply.stopped:
                return None  # usage is welcome, but no longer needed
            raise

    async def _within(self, deadline: float, work: Awaitable[Any], stopped: bool = False) -> Any:
        patience = self._tail_seconds if stopped else self._silence_seconds
        silence = asyncio.get_running_loop().time() + patience
        async with asyncio.timeout_at(min(deadline, silence)):
            return await work

    def _failed(self, litellm: ModuleType, problem: Exception, request: ModelRequest) -> ModelError:
        words = WRAPPINGS.sub("", getattr(problem, "message", None) or str(problem))
        body = getattr(problem, "body", None)
        said = failures.said_by(body) if body else failures.heard(words.encode())
        headers = getattr(problem, "litellm_response_headers", None)
        status = getattr(problem, "status_code", None)
        if "LLM Provider NOT provided" in words:
            return failures.failure("model_not_found", "LiteLLM")
        if isinstance(problem, litellm.exceptions.ContextWindowExceededError):
            code = "context_overflow"
        elif headers is None and (status is None or status >= 500):
            code = _code_without_answer(said)
        else:
            code = failures.code_of(status, said)
        return failures.failure(
            code,
            provider_of(request.model),
            said.message,
            secret=request.key or self._key(),
            retry_after=failures.retry_after(headers or {}, self._clock()),
        )


def _code_without_answer(said: failures.Said) -> str:
    """No HTTP answer stands behind the error: what litellm says of it is all there is."""
    if UNREACHED.search(said.message):
        return "unreachable"
    if LOST.search(said.message):
        return "stream_cut"
    if NO_JSON.search(said.message):
        return "garbled"
    return failures.code_of(None, said)


def _load() -> ModuleType:
    """Import litellm so that it neither asks the network for prices nor prints on stdout."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    # pydantic complains about litellm's own types, which nobody here can mend.
    warnings.filterwarnings("ignore", message=".*`ReadOnly` qualifier", category=UserWarning)
    litellm = importlib.import_module("litellm")
    vars(litellm).update(suppress_debug_info=True, telemetry=False)
    return litellm
