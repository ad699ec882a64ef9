"""Asking a model for the summary that stands for the older part of a conversation."""

from agent.asking import Aside, Desk, ask, usage_of
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
    aside = await ask(means, desk, request, Aside, turn=turn, busy="compacting")
    if not aside.text:
        raise ModelError("garbled", "The model returned an empty summary.", retryable=True)
    used = aside.used([m.text for m in asked])
    usage = usage_of(used, history.model, "compaction", turn)
    after = _size_after(history, means.system_prompt, Summary(0, aside.text, through))
    return usage, Compacted(history.context_used, after, aside.text, through, submission)


def _size_after(history: History, system: str, summary: Summary) -> int:
    """What the model will be shown, in tokens as the provider counted them before.

    Both sides are estimated and their ratio is taken, for an estimate and a count do not compare.
    """
    estimated = size_of(messages(history, system))
    left = size_of(messages(history, system, summary))
    return max(1, round(history.context_used * min(left / estimated, 1.0)))
