"""Starts everything, keeps it going, ends everything; in between the screen tells what happens."""

import asyncio
import logging
import signal
import tempfile
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console

from meta_orchestrator.client import Publisher
from meta_orchestrator.demo.outputs import fold_outputs
from meta_orchestrator.demo.processes import Process, embedded_broker, worker
from meta_orchestrator.demo.screen import Screen, screen_for
from meta_orchestrator.demo.story import Story
from meta_orchestrator.demo.team import PROJECT, Stage
from meta_orchestrator.errors import Stuck
from meta_orchestrator.messages.fields import SECOND
from meta_orchestrator.wire.trust import generate, trust_entry, write_key

DAY_S = 86_400
REFRESH_S = 0.5


def run_show(for_s: float | None) -> int:
    """Play it; nothing of it is left afterwards."""
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="meta-orchestrator-demo-", ignore_cleanup_errors=True) as directory,
        suppress(KeyboardInterrupt),  # before the signal handlers are there
    ):
        logging.basicConfig(filename=Path(directory) / "demo.log")  # what the client says must not tear the page
        return asyncio.run(_show(for_s, Path(directory), console))
    return 0


async def _show(for_s: float | None, directory: Path, console: Console) -> int:
    ends_at = None if for_s is None else time.monotonic() + for_s
    ending = _ending_by_signals()
    _write_files(directory)
    story = Story()
    playing = asyncio.ensure_future(_play(directory, story, console))
    waiting = asyncio.ensure_future(ending.wait())
    patience_s = None if ends_at is None else max(0.0, ends_at - time.monotonic())
    await asyncio.wait({playing, waiting}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
    for line in story.summary():
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    if for_s is None or ending.is_set() or story.applied:
        return 0
    console.print(f"No change was applied within {for_s:.0f} s; the first one comes after about a minute.")
    return 1


async def _play(directory: Path, story: Story, console: Console) -> None:
    """Until it is cancelled; whatever fails ends it all."""
    async with AsyncExitStack() as stack:
        begun = time.monotonic()

        def starting(what: str) -> None:
            console.print(f"{time.monotonic() - begun:4.1f} s  starting {what} …", highlight=False)

        starting("an embedded Kafka broker")
        address = await stack.enter_async_context(embedded_broker(directory))
        starting("the worker, which watches and decides")
        process = await stack.enter_async_context(worker(address, directory))
        starting("a simulated team and its orchestrator")
        publisher = await stack.enter_async_context(Publisher(broker=address, source="team", project=PROJECT))
        stage = story.stage = Stage(publisher)
        screen = stack.enter_context(screen_for(console, story))
        await _all_of(
            stage.work(),
            stage.obey(address, directory / "trust.toml", story.tell),
            fold_outputs(address, story.view, story.hear),
            _refresh(screen),
            _watch(process),
        )


async def _all_of(*parts: Coroutine[Any, Any, None]) -> None:
    """All at once, for ever; if one fails the others end, and its error is ours."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _refresh(screen: Screen) -> None:
    while True:
        screen.refresh()
        await asyncio.sleep(REFRESH_S)


async def _watch(process: Process) -> None:
    await process.handle.wait()
    raise Stuck(f"the {process.name} of the demo ended with {process.handle.returncode}\n{process.last_words()}")


def _write_files(directory: Path) -> None:
    """Policy, key and trust file, as an owner would have them."""
    key = generate("worker")
    write_key(directory / "worker.key", key)
    not_after_us = (int(time.time()) + DAY_S) * SECOND
    (directory / "trust.toml").write_text(trust_entry(key, "worker", [PROJECT], not_after_us))
    policy = files("meta_orchestrator.demo").joinpath("policy.toml").read_text()
    (directory / "policy.toml").write_text(policy)


def _ending_by_signals() -> asyncio.Event:
    ending, loop = asyncio.Event(), asyncio.get_running_loop()
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(asked, ending.set)
    return ending
