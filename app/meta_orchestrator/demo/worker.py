"""The worker of the demo: the real one, told that the embedded broker has no transactions."""

import sys
from pathlib import Path

from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.drivers.live.worker import run
from meta_orchestrator.policy import load_policy
from meta_orchestrator.settings import Settings

SESSION_S = 6.0
"""The embedded broker lets a group join after half of this."""


def main(address: str, directory: str, port: str) -> None:
    """With the files that the demo has written into a directory."""
    home = Path(directory)
    settings = Settings(broker=address, policy=home / "policy.toml", trust=home / "trust.toml", key=home / "worker.key")
    options = Options(settings, transactions=False, health_port=int(port), session_timeout_s=SESSION_S)
    run(options, load_policy(settings.policy), settings.trusted_keys(), settings.signing_key(), log_level="WARNING")


if __name__ == "__main__":
    main(*sys.argv[1:])
