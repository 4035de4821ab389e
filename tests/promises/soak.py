"""How often the promises are tried: a sample in `make test`, the full numbers where SOAK is set (`make soak`)."""

import os

FULL = bool(os.environ.get("SOAK"))


def often(sample: int, full: int) -> int:
    """How many repetitions to make now."""
    return full if FULL else sample
