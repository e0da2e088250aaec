"""Brokers for all folders; and how hard the tests of laws look: `HYPOTHESIS_PROFILE=deep` for minutes,
`HYPOTHESIS_EXAMPLES=n` says how often.
"""

import os
import signal

from hypothesis import HealthCheck, settings

from tests.kafka.brokers import broker, embedded, kafka, mortal_broker, own_broker, prefix

__all__ = ["broker", "embedded", "kafka", "mortal_broker", "own_broker", "prefix"]

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile("ci", deadline=None, max_examples=60, suppress_health_check=_SLOW)
settings.register_profile(
    "deep",
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "5000")),
    suppress_health_check=_SLOW,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Started in the background of a shell, the tests would ignore Ctrl-C, and so would every program that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
