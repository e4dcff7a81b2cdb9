"""Checks: what the settings of a load must be, and the sentence for each that is not."""

import math

__all__ = ["check_count", "check_positive", "check_rate", "check_span"]


def check_rate(rate: float) -> None:
    """Refuse a rate below 0 or without end; requests a second."""
    if not (math.isfinite(rate) and rate >= 0):
        raise ValueError(f"A rate must be 0 or more requests a second: {rate}.")


def check_span(start: float, end: float) -> None:
    """Refuse a load that ends before it starts; seconds."""
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise ValueError(f"The load must end after it starts: start is {start} s, end is {end} s.")


def check_positive(name: str, value: float) -> None:
    """Refuse a duration that is not above 0; seconds."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be above 0 seconds: {value}.")


def check_count(name: str, value: int) -> None:
    """Refuse a count that is not a whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of 1 or more: {value}.")
