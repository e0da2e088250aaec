"""Numbers in sentences, as people write them."""

from decimal import Decimal


def number_text(value: float | None) -> str:
    """At most four significant digits, thousands apart, never an exponent: 11,630, 0.0213; a dash of nothing."""
    return "-" if value is None else f"{Decimal(f'{value:.4g}'):,f}"


def plural(number: int, noun: str) -> str:
    """1 event, 1,200 events."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sure_text(probability: float) -> str:
    """A probability in percent; what is short of certain is not called 100 %."""
    return "over 99%" if probability > 0.99 else f"{probability:.0%}"


def short_text(probability: float, needed: float) -> str:
    """Two probabilities, the first of which is short of the second, with as many digits as tell them apart, and the
    second from certain."""
    most = 1.0 if needed < 1 else 2.0
    digits = next((it for it in range(6) if round(probability, it + 2) < round(needed, it + 2) < most), 6)
    return f"{probability:.{digits}%} only, {needed:.{digits}%} are needed"
