"""Spans and moments as a person types them. What pydantic stands behind is imported late, so that `--help` is quick."""

import re
import time

import typer

SECOND_US = 1_000_000
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")


def now_us() -> int:
    return time.time_ns() // 1000


def span_us(text: str, option: str) -> int:
    """Microseconds of `90s`, `30m`, `2h`, `1h30m` or `7d`, which an option was given."""
    if not _SPAN.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no span of time: write 90s, 30m, 2h, 1h30m or 7d", param_hint=option)
    parts = re.findall(r"([\d.]+)([smhd])", text)
    return round(sum(float(number) * _UNITS_S[unit] for number, unit in parts) * SECOND_US)


def moment_us(text: str, option: str) -> int:
    """An RFC 3339 time with its offset, which an option was given."""
    from meta_orchestrator.messages.fields import parse_time_us

    try:
        if re.search(r"([zZ]|[+-]\d{2}:\d{2})$", text):
            return parse_time_us(text)
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r} is no time with an offset: write 2026-01-31T18:00:00Z", param_hint=option)


def rfc3339(time_us: int) -> str:
    from meta_orchestrator.messages.fields import format_time_us

    return format_time_us(time_us)


def deadline_us(span: str | None, until: str | None, start_us: int) -> int:
    """The end that `--for` or `--until` names, whichever is given."""
    if (span is None) == (until is None):
        raise typer.BadParameter(
            "give --for (2h) or --until (2026-01-31T18:00:00Z), one of them", param_hint="--for / --until"
        )
    return start_us + span_us(span, "--for") if span is not None else moment_us(str(until), "--until")
