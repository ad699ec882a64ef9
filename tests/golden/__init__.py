"""Logs of the real server that the server's tests and the page's tests both replay."""
