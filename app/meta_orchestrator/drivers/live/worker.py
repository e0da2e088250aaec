"""The worker from its start to its end.

Ends cleanly on SIGTERM or SIGINT. Raises what the command turns into its exit status: SettingsError (2),
BrokerUnavailable (4), Stuck (1).
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from meta_orchestrator.core.loop import Loop
from meta_orchestrator.drivers.garbage import look_seldom
from meta_orchestrator.drivers.live.app import App
from meta_orchestrator.drivers.live.clock import Clock
from meta_orchestrator.drivers.live.ending import Ending
from meta_orchestrator.drivers.live.health import Health
from meta_orchestrator.drivers.live.log import say, set_up, warn
from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.drivers.live.partition import Partition
from meta_orchestrator.drivers.live.preflight import partitions_of
from meta_orchestrator.drivers.live.watchdog import Watchdog
from meta_orchestrator.drivers.live.writers import Sequential, Transaction, Writer
from meta_orchestrator.errors import SettingsError, Stuck
from meta_orchestrator.policy import Policy, load_policy
from meta_orchestrator.settings import Settings
from meta_orchestrator.wire.trust import Key, Trust, require_trusted


def run_with(settings: Settings, health_port: int | None) -> int:
    """Load what the settings name and run; all of it is checked before the first connection."""
    if settings.trust is None:
        raise SettingsError("trust", None, "name a trust file with --trust: without one no command would count")
    policy, trust, key = load_policy(settings.policy), settings.trusted_keys(), settings.signing_key()
    require_trusted(trust, key, (settings.trust, settings.key), "worker", None, time.time_ns() // 1000)
    run(Options(settings, health_port=health_port), policy, trust, key)
    return 0


def run(options: Options, policy: Policy, trust: Trust, key: Key | None, log_level: str = "INFO") -> None:
    """Run a worker until it is asked to stop."""
    set_up(log_level)
    asyncio.run(serve(options, policy, trust, key))


async def serve(options: Options, policy: Policy, trust: Trust, key: Key | None, ending: Ending | None = None) -> None:
    """The same inside a running event loop; `ending.stop()` ends it, signals do if no ending is given."""
    options = replace(options, partitions=await partitions_of(options))
    ending = ending or _ending_by_signals()
    app = make_app(options, policy, trust, key, ending)
    look_seldom()
    say("starting", broker=options.broker, application=options.application, partitions=options.partitions)
    health = Health(app, options.health_host, options.health_port) if options.health_port is not None else None
    if health is not None:
        await health.start()
    tasks = [_watched(one, ending) for one in (_started(app), Clock(app).run(), Watchdog(app).run())]
    await ending.wait()
    _cut_off(options.stop_s, ending)
    await _stop(app, tasks, health, options.stop_s)
    if ending.reason is not None:
        raise ending.reason
    say("stopped")


def make_app(options: Options, policy: Policy, trust: Trust, key: Key | None, ending: Ending) -> App:
    """Everything wired together, nothing started."""

    def new_writer(number: int) -> Writer:
        return (Transaction if options.transactions else Sequential)(options, key, number)

    def new_partition(number: int) -> Partition:
        return Partition(number, options.partitions, options.settings.prefix, trust, Loop(policy))

    return App(options, ending, new_writer, new_partition)


async def _started(app: App) -> None:
    """Faust's app until it ends by itself, which it should not."""
    await app.start()
    await app.wait_until_stopped()
    if app.ending.is_set:
        return
    raise Stuck(f"Faust ended by itself: {app.crash_reason!r}")


def _watched(work: Coroutine[Any, Any, None], ending: Ending) -> "asyncio.Task[None]":
    """A task of the worker: whatever it raises ends the worker."""
    task = asyncio.ensure_future(work)

    def ended(done: "asyncio.Task[None]") -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            warn("a part of the worker failed", error=repr(error))
            ending.fail(str(error) if isinstance(error, Stuck) else repr(error))

    task.add_done_callback(ended)
    return task


async def _stop(app: App, tasks: list["asyncio.Task[None]"], health: Health | None, within_s: float) -> None:
    say("stopping", reason=str(app.ending.reason or "asked to"))
    try:
        await asyncio.wait_for(app.stop(), within_s)
    except TimeoutError:
        warn("the stop was cut off", seconds=within_s)
    for task in tasks:
        task.cancel()
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 1)
    if health is not None:
        await health.stop()


def _ending_by_signals() -> Ending:
    loop = asyncio.get_running_loop()
    ending = Ending(loop)
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, ending.stop)
    return ending


def _cut_off(stop_s: float, ending: Ending) -> None:
    """Whatever hangs in a thread of somebody else, the process ends."""
    timer = threading.Timer(stop_s + 1, os._exit, (1 if ending.reason else 0,))
    timer.daemon = True
    timer.start()
