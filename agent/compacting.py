"""Asking a model for the summary that stands for the older part of a conversation."""

from agent.asking import Aside, Desk, ask
from agent.compaction import SUMMARY_PART, summary_request
from agent.history import History, Summary
from agent.means import Means
from agent.models.port import ModelError, ModelRequest
from agent.protocol import Compacted, SubmissionId, TurnId, Usage
from agent.transcript import messages, size_of


async def summarise(
    means: Means,
    desk: Desk,
    history: History,
    through: int,
    *,
    turn: TurnId | None = None,
    submission: SubmissionId | None = None,
) -> tuple[Usage, Compacted]:
    """The events that compact the log up to `through`; raises ModelError."""
    limit = means.models.context(history.model)
    asked = summary_request(history, through, limit)
    request = ModelRequest(
        history.model, asked, max_output_tokens=max(int(limit * SUMMARY_PART), 256)
    )
    before = history.context_used
    aside = await ask(means, desk, request, Aside, turn=turn, busy="compacting")
    if not aside.text:
        raise ModelError("garbled", "The model returned an empty summary.", retryable=True)
    used = aside.used([m.text for m in asked])
    usage = Usage(
        history.model,
        used.input_tokens,
        used.output_tokens,
        used.cached_tokens,
        used.cost_usd,
        "compaction",
        turn,
    )
    shown = Summary(history.head + 1, aside.text, through)
    after = size_of(messages(history, means.system_prompt, shown))
    return usage, Compacted(before, after, aside.text, through, submission)
