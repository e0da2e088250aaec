"""A worker as a process of its own, which tests may stop in the middle of a transaction.

While the file named by --stop-in-commit exists, the next commit stops the process: SIGKILL, or SIGSTOP with --pause.
"""

import argparse
import os
import signal
from pathlib import Path

from aiokafka import AIOKafkaProducer

from meta_orchestrator.cli.main import end
from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.drivers.live.worker import run
from meta_orchestrator.errors import BrokerUnavailable, SettingsError, Stuck
from meta_orchestrator.policy import load_policy
from meta_orchestrator.settings import Settings
from meta_orchestrator.wire.trust import load_key, load_trust


def main() -> None:
    given = arguments()
    if given.stop_in_commit is not None:
        stop_in_commit(given.stop_in_commit, signal.SIGSTOP if given.pause else signal.SIGKILL)
    options = Options(
        Settings(broker=given.broker, prefix=given.prefix),
        transactions=not given.embedded,
        session_timeout_s=given.session,
        health_port=given.health_port,
        broker_wait_s=given.wait,
        stuck_s=given.stuck,
    )
    try:
        run(options, load_policy(given.policy), load_trust(given.trust), load_key(given.key), "DEBUG")
    except SettingsError as error:
        end(2, str(error))
    except BrokerUnavailable as error:
        end(4, str(error))
    except Stuck as error:
        end(1, str(error))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("--broker", "--prefix"):
        parser.add_argument(name)
    for name in ("--policy", "--trust", "--key", "--stop-in-commit"):
        parser.add_argument(name, type=Path)
    for name, default in (("--session", 6.0), ("--wait", 10.0), ("--stuck", 60.0)):
        parser.add_argument(name, type=float, default=default)
    parser.add_argument("--health-port", type=int)
    for name in ("--embedded", "--pause"):
        parser.add_argument(name, action="store_true")
    return parser.parse_args()


def stop_in_commit(when: Path, how: signal.Signals) -> None:
    """Before a commit, with everything sent, the process stops itself if the file is there."""
    commit = AIOKafkaProducer.commit_transaction

    async def stopping(producer: AIOKafkaProducer) -> None:
        if when.exists():  # noqa: ASYNC240 - it is about to stop anyway
            os.kill(os.getpid(), how)
        await commit(producer)

    AIOKafkaProducer.commit_transaction = stopping  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
