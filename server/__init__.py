"""The doors: people, sockets, storage; knows nothing of models, prompts or tools."""
