"""How a worker runs, beside the settings that all commands share."""

from dataclasses import dataclass

from meta_orchestrator.settings import Settings
from meta_orchestrator.wire.topics import APPLICATION


@dataclass(frozen=True)
class Options:
    """Everything but policy and keys. Times are in seconds."""

    settings: Settings
    partitions: int = 0
    """Of every topic; read from the broker before the worker starts."""
    transactions: bool = True
    """False for the embedded broker, which has none: after a crash outputs may appear twice, the same."""
    health_port: int | None = None
    """Where `/healthz` and `/readyz` answer; None: nowhere. 0 takes a free port and logs it."""
    health_host: str = "127.0.0.1"
    session_timeout_s: float = 10
    """A worker that is silent for this long has lost its partitions: the time to a takeover after a crash."""
    broker_wait_s: float = 30
    """How long to wait for the broker at the start before giving up."""
    stuck_s: float = 120
    """No progress for this long although there is work, with the broker in reach: end, to be started again."""
    stop_s: float = 9
    """A clean stop that takes longer than this is cut off."""

    @property
    def application(self) -> str:
        """Names the consumer group, the changelogs and, with a partition's number, the transactions."""
        return self.settings.prefix + APPLICATION

    @property
    def broker(self) -> str:
        return self.settings.broker
