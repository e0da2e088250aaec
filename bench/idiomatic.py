"""The job as Faust's documentation shows it: JSON records, one agent, a tumbling window in a table.

python -m bench.idiomatic BOOTSTRAP PREFIX EVENTS SECONDS prints `rate SEEN PER_SECOND` after so many events or seconds.
"""

import os
import sys
import tempfile
import time
from typing import Any

import faust


def main() -> None:
    bootstrap, prefix, events, most_s = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    app = faust.App(
        f"{prefix}idiomatic",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        topic_partitions=4,
        topic_replication_factor=1,
        stream_wait_empty=False,
        broker_session_timeout=6,
        web_enabled=False,
        datadir=tempfile.mkdtemp(),
    )
    topic = app.topic(f"{prefix}agent-events", value_serializer="json", key_type=str)
    table = app.Table("idiomatic", default=lambda: ([], 0), partitions=4).tumbling(10, expires=60)
    seen, began = 0, 0.0

    @app.agent(topic)
    async def count(stream: Any) -> None:
        nonlocal seen, began
        async for event in stream:
            began = began or time.perf_counter()
            data = event["data"]
            agent = data.get("agent") or data.get("from_agent", "")
            durations, told = table[agent].value()
            table[agent] = [*durations, data["duration_ms"]] if "duration_ms" in data else durations, told + 1
            seen += 1
            took_s = time.perf_counter() - began
            if seen >= events or took_s > most_s:
                print(f"rate {seen} {seen / took_s:.0f}", file=sys.__stdout__, flush=True)
                os._exit(0)

    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
