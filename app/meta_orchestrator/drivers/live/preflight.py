"""Before the worker starts: is there a broker, are the topics there, do they fit?"""

import asyncio
import time

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from meta_orchestrator.drivers.live.log import warn
from meta_orchestrator.drivers.live.options import Options
from meta_orchestrator.errors import BrokerUnavailable, SettingsError
from meta_orchestrator.wire import topics

RETRY_S = 1
REQUEST_MS = 5000


async def partitions_of(options: Options) -> int:
    """The partition count of all topics. BrokerUnavailable after a bounded wait, SettingsError where topics do not
    fit.
    """
    admin = await connected(options)
    try:
        found = await topics.check(admin, options.settings.prefix)
        counts = await topics.partition_counts(admin, options.settings.prefix)
    finally:
        await admin.close()
    for difference in found:
        if not difference.stops_worker:
            warn("a topic is not as `topics create` makes it", difference=str(difference))
    if stopping := [str(difference) for difference in found if difference.stops_worker]:
        raise SettingsError("topics", "; ".join(stopping), "`meta-orchestrator topics create` makes what is missing")
    return counts[topics.INPUTS[0]]


async def connected(options: Options) -> AIOKafkaAdminClient:
    """A client that has reached the broker."""
    until = time.monotonic() + options.broker_wait_s
    told = False
    while True:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=options.broker, request_timeout_ms=REQUEST_MS, **options.settings.kafka_options()
        )
        try:
            await asyncio.wait_for(admin.start(), max(until - time.monotonic(), 1))
            return admin
        except (KafkaError, OSError, TimeoutError) as error:
            await admin.close()
            if time.monotonic() > until:
                waited = f"the broker at {options.broker} did not answer for {options.broker_wait_s:g} s"
                raise BrokerUnavailable(f"{waited}: {error}") from error
        if not told:
            warn("waiting for the broker", broker=options.broker, at_most_s=options.broker_wait_s)
            told = True
        await asyncio.sleep(RETRY_S)
