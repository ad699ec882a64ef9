"""Every door of the house, in one table."""

from aiohttp import web

from server.routes import (
    dashboard,
    files,
    health,
    login,
    pages,
    schema,
    secrets,
    sessions,
    socket,
    submit,
)

# No HEAD for what is streamed: its body would be sent all the same, and taken for the next answer.
ROUTES = (
    web.get("/", pages.index),
    web.get("/static/{path:.+}", pages.file),
    web.get("/login", login.begin, allow_head=False),
    web.get("/login/callback", login.finish, allow_head=False),
    web.post("/api/logout", login.out),
    web.post("/api/tickets", login.ticket),
    web.get("/api/secrets", secrets.listed),
    web.put("/api/secrets/{name}", secrets.kept),
    web.delete("/api/secrets/{name}", secrets.removed),
    web.get("/healthz", health.healthz),
    web.get("/readyz", health.readyz),
    web.get("/metrics", health.metrics),
    web.get("/api/me", health.me),
    web.get("/api/models", health.models),
    web.get("/api/schema.json", schema.schema),
    web.get("/api/asyncapi.json", schema.asyncapi),
    web.get("/api/openapi.json", schema.openapi),
    web.get("/api/dashboard/socket", dashboard.dashboard, allow_head=False),
    web.post("/api/sessions", sessions.create),
    web.get("/api/sessions", sessions.listed),
    web.get("/api/sessions/{id}", sessions.shown),
    web.patch("/api/sessions/{id}", sessions.changed),
    web.delete("/api/sessions/{id}", sessions.erased),
    web.post("/api/sessions/{id}/fork", sessions.forked),
    web.get("/api/sessions/{id}/events", sessions.events),
    web.get("/api/sessions/{id}/export", sessions.exported, allow_head=False),
    web.post("/api/sessions/{id}/submissions", submit.submit),
    web.post("/api/sessions/{id}/files", files.uploaded),
    web.get("/api/sessions/{id}/files", files.listed),
    web.get("/api/sessions/{id}/files/{path:.+}", files.downloaded, allow_head=False),
    web.get("/api/sessions/{id}/socket", socket.socket, allow_head=False),
)
