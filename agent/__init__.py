"""The agent: thinks, calls tools, asks; knows nothing of HTTP, users or sockets."""
