"""An OpenAI-compatible model on a loopback port that says exactly what a test tells it to."""

from tests.model_server.reply import CallScript, Gate, Reply, Tokens, Wire, chunk
from tests.model_server.server import ModelServer, Seen

__all__ = ["CallScript", "Gate", "ModelServer", "Reply", "Seen", "Tokens", "Wire", "chunk"]
