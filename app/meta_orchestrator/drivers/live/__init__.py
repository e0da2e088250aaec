"""The stream processor on Kafka: Faust keeps assignment, tables and recovery; a tick is one Kafka transaction of ours.

Reading order: `partition.py` (what one partition does with records), `owner.py` (whose partition it is), `writers.py`
(the transaction), `transport.py` (what Faust must do differently, fault by fault), `app.py`, `worker.py`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meta_orchestrator.settings import Settings


def run(settings: "Settings", health_port: int | None = None) -> int:
    """A worker with the files that the settings name, until it is asked to stop: exit status 0.

    Raises SettingsError before it connects, BrokerUnavailable while it does, Stuck where only a restart helps.
    """
    from meta_orchestrator.drivers.live.worker import run_with

    return run_with(settings, health_port)
