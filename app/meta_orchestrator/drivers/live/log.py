"""What the worker says about itself: one JSON object a line, for people and for machines."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

LOGGER = logging.getLogger("meta_orchestrator.live")


def say(what: str, level: int = logging.INFO, **fields: Any) -> None:
    """Something happened; `fields` say what about it."""
    LOGGER.log(level, what, extra={"fields": fields})


def warn(what: str, **fields: Any) -> None:
    say(what, logging.WARNING, **fields)


class Lines(logging.Formatter):
    """{"at", "level", "logger", "event", …fields}; other libraries' messages are events too."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def set_up(level: str = "INFO") -> None:
    """Lines on stdout: ours from `level`, other libraries' from WARNING."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(level)
    # It warns of what it then does again by itself; what it cannot do again becomes an exception of ours.
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)
