"""Everything is wired here and nowhere else."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from aiohttp import web

from agent.config import load
from agent.errors import ConfigProblem, Problem
from agent.models.catalogue import Catalogue
from agent.models.entries import ModelEntry
from agent.models.served import first_served
from agent.protocol import MOORING
from agent.sandbox.bubblewrap import Bubblewrap
from agent.sandbox.port import Sandbox
from agent.tools.toolbox import Toolbox
from server import keys
from server.announce import listening
from server.audit import Audit
from server.beside import beside, ended
from server.building import MeansFactory, job_watch, make_toolbox, new_id, unmatched
from server.collector import collect_in_small_passes
from server.config import Config
from server.goodbyes import GOING_AWAY
from server.identity.connecting import CONNECTING, Connecting
from server.identity.gate import GATE
from server.identity.origins import ORIGINS, Origins
from server.identity.sharing import SHARING, Sharing
from server.identity.ways_in import WAYS_IN, WaysIn
from server.listening import Site
from server.memory import raise_file_limit, reuse_blocks
from server.places import shipped
from server.proxies import Proxies
from server.readiness import Readiness
from server.routes.answers import errors, secure
from server.routes.cors import preflight, shared
from server.routes.entrance import entrance
from server.routes.proxied import proxied
from server.routes.submissions import DESK, Desk
from server.routes.table import ROUTES
from server.sessions.archive import Archive
from server.sessions.fleet import Fleet
from server.sessions.manager import SessionManager
from server.sessions.quotas import Addresses, Connections, Rates
from server.sessions.slots import Slots
from server.sessions.watch import Watch
from server.sessions.workspaces import Workspaces
from server.settings import ServeSettings
from server.stopping import exit_within, on_signals
from server.store.sqlite import SqliteStore
from server.times import timestamp, today
from server.tool_servers import ToolServers
from server.weaknesses import refuse_dangers

log = logging.getLogger(__name__)

FILE_THREADS = 8
GAUGE_THREADS = 2
"""Of their own: a large checkpoint must not delay the look at what a command uses."""
LARGEST_BODY = 2 * 1024 * 1024
STOP_SECONDS = 9.0
HUB_HOME = "hub"
"""The folder of the Hub's library, in the data folder."""
MODELS, SANDBOX = "the models are being loaded", "the sandbox is being tried"


def serve(settings: ServeSettings) -> int:
    """Until it is told to stop. Raises Problem or OSError where it cannot start."""
    # The store's thread waits for the interpreter's lock: shorter turns cost nothing measurable
    # and make commits a third faster while models stream.
    sys.setswitchinterval(0.001)
    raise_file_limit()
    reuse_blocks()
    config, catalogue = configured(settings)
    refuse_dangers(settings, config)
    return asyncio.run(_serve(settings, config, catalogue))


def configured(settings: ServeSettings) -> tuple[Config, Catalogue]:
    """Raises ConfigProblem. The demo model brings a rule of its own, below the user's file."""
    base, own = shipped("configs"), [settings.config] if settings.config else []
    known = load([base / "models.json"], dict[str, ModelEntry])
    config = load([base / "agent.json", *own], Config)
    catalogue = Catalogue(
        known | config.models,
        os.environ,
        default=_named_model(settings),
        api_base=settings.api_base,
        router=config.hub.router,
        request_seconds=config.retry.timeout_seconds,
    )
    _ = catalogue.shared(catalogue.default)  # an address that is none is told now
    if (helper := config.research.model) is not None and not catalogue.has(helper):
        raise ConfigProblem(f"`research.model`: {helper!r} is no model that there is here.")
    if catalogue.default == "demo":
        config = load([base / "agent.json", base / "demo.json", *own], Config)
    return config, catalogue


def _named_model(settings: ServeSettings) -> str | None:
    """The model of --model; of --api-base alone, the first that is served there."""
    if settings.model is None and settings.api_base is not None:
        return f"openai/{first_served(settings.api_base, os.environ.get('OPENAI_API_KEY'))}"
    return settings.model


async def _serve(settings: ServeSettings, config: Config, catalogue: Catalogue) -> int:
    stop = on_signals()
    store = SqliteStore.open(settings.data_dir)
    try:
        async with _application(settings, config, catalogue, store) as app:
            await app[keys.SESSIONS].recover()
            await app[keys.WATCH].begin()
            await app[keys.ARCHIVE].sweep()
            runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=2.0)
            await runner.setup()
            try:
                await _listen(runner, settings, config)
                await stop.wait()
                log.info("stopping")
                exit_within(STOP_SECONDS)
                await _say_goodbye(app)
            finally:
                await runner.cleanup()
    finally:
        await store.close()
    return 0


@asynccontextmanager
async def _application(
    settings: ServeSettings, config: Config, catalogue: Catalogue, store: SqliteStore
) -> AsyncIterator[web.Application]:
    """The application and the work that goes on beside requests, ended when left."""
    with (
        ThreadPoolExecutor(FILE_THREADS, "files") as threads,
        ThreadPoolExecutor(GAUGE_THREADS, "gauge") as gauge_threads,
    ):
        sandbox = Bubblewrap(config.sandbox, gauge_threads)
        app = await _wired(settings, config, catalogue, store, sandbox, threads)
        tasks = [
            beside(work)
            for work in (
                _warm(app[keys.READINESS], catalogue, sandbox, app[keys.SESSIONS].slots),
                app[keys.FLEET].measure(),
                *(loop() for loop in app[WAYS_IN].loops),
                app[keys.SESSIONS].sweep(),
                _examine(app[keys.READINESS], store),
                app[keys.WORKSPACES].tidy(),
            )
        ]
        try:
            yield app
        finally:
            await ended(tasks)
            await app[keys.WATCH].close()
            await app[CONNECTING].close()
            await app[keys.TOOL_SERVERS].close()
            await app[WAYS_IN].close()
            await catalogue.close()


async def _wired(
    settings: ServeSettings,
    config: Config,
    catalogue: Catalogue,
    store: SqliteStore,
    sandbox: Sandbox,
    threads: ThreadPoolExecutor,
) -> web.Application:
    rooms = (proxied, errors, preflight, entrance)
    app = web.Application(middlewares=rooms, client_max_size=LARGEST_BODY)
    app.on_response_prepare.extend((secure, shared))
    app.add_routes(ROUTES)
    app[WAYS_IN] = ways = await WaysIn.open(settings, config, store, os.environ)
    app[GATE] = ways.gate
    app[keys.AUDIT] = Audit(store.audit, timestamp, ways.redactors.of(MOORING))
    app[keys.BOARDS] = set()
    app[keys.CATALOGUE] = catalogue
    limits = config.limits
    app[keys.CONNECTIONS] = Connections(limits.connections_per_user, limits.connections_per_address)
    app[keys.FLEET] = Fleet(time.monotonic, today)
    app[keys.LIMITS] = limits
    app[keys.PROXIES] = Proxies(config.trusted_proxies)
    app[keys.RATES] = Rates(limits, time.monotonic)
    app[ORIGINS] = Origins(config.allowed_origins)
    app[keys.READINESS] = readiness = Readiness(MODELS, SANDBOX)
    app[keys.STATIC] = shipped("static")
    app[keys.STORE] = store
    app[keys.TOOL_SERVERS] = servers = ToolServers(config, threads)
    app[CONNECTING] = Connecting(servers.with_logins, ways.tool_logins, servers.log_in)
    app[keys.WORKSPACES] = Workspaces(settings.data_dir / "workspaces", threads, config.sandbox)
    toolbox = make_toolbox(config, sandbox, threads, settings.data_dir / HUB_HOME)
    if strangers := unmatched(config.approval, toolbox.names, config.mcp_servers):
        _warn(readiness, f"approval names no tool and no effect: {', '.join(strangers)}")
    _add_sessions(app, config, toolbox, settings)
    audit, sessions = app[keys.AUDIT], app[keys.SESSIONS]
    app[SHARING] = Sharing(store.shares, audit, app[keys.FLEET], sessions.seen)
    app[DESK] = Desk(sessions, audit, timestamp)
    return app


def _add_sessions(
    app: web.Application, config: Config, toolbox: Toolbox, settings: ServeSettings
) -> None:
    limits, catalogue, workspaces = config.limits, app[keys.CATALOGUE], app[keys.WORKSPACES]
    ways, servers = app[WAYS_IN], app[keys.TOOL_SERVERS]
    keyring, redactor_of = ways.keyring, ways.redactors.of
    slots = Slots(total=limits.live_sessions, per_user=limits.running_turns_per_user)
    app[keys.SESSIONS] = SessionManager(
        app[keys.STORE],
        MeansFactory(config, catalogue, toolbox, workspaces, slots, keyring, redactor_of, servers),
        limits=limits,
        slots=slots,
        fleet=app[keys.FLEET],
        hibernate_after=config.hibernate_after_seconds,
        timestamp=timestamp,
        clock=time.monotonic,
    )
    app[keys.WATCH] = watch = Watch(
        app[keys.STORE],
        app[keys.SESSIONS],
        job_watch(config.hub, settings.data_dir / HUB_HOME),
        keyring.of,
        redactor_of,
    )
    app[keys.FLEET].tell(watch)
    app[keys.ARCHIVE] = Archive(
        app[keys.STORE],
        app[keys.SESSIONS],
        workspaces,
        app[keys.FLEET],
        limits=limits,
        context_of=catalogue.context,
        new_id=new_id,
        timestamp=timestamp,
        redactor_of=redactor_of,
    )


async def _warm(readiness: Readiness, catalogue: Catalogue, sandbox: Sandbox, slots: Slots) -> None:
    """What the first turn would otherwise wait for."""
    if (why_not := await sandbox.probe()) is not None:
        _warn(readiness, f"commands cannot run: {why_not}")
    readiness.done(SANDBOX)
    try:
        await catalogue.warm()
    except (Problem, ImportError) as problem:
        readiness.failed(MODELS, str(problem))
        log.error("the models cannot be loaded: %s", problem)
    else:
        readiness.done(MODELS)
    collect_in_small_passes(quiet=lambda: not slots.running)


async def _examine(readiness: Readiness, store: SqliteStore) -> None:
    if wrong := await store.examine():
        _warn(readiness, wrong)


def _warn(readiness: Readiness, what: str) -> None:
    readiness.warn(what)
    log.warning("%s", what)


async def _listen(runner: web.AppRunner, settings: ServeSettings, config: Config) -> None:
    door = Addresses(config.limits.connections_per_address, runner.app[keys.PROXIES])
    await Site(runner, settings.host, settings.port, door, config.http).start()
    port = runner.addresses[0][1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    listening(f"http://{host}:{port}", no_browser=settings.no_browser)


async def _say_goodbye(app: web.Application) -> None:
    """Running turns end and are committed, viewers hear why."""
    await asyncio.gather(
        app[keys.SESSIONS].close(), *(board.close(GOING_AWAY) for board in app[keys.BOARDS])
    )
