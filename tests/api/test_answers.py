"""Times as the contract writes them."""

import pytest

from kommo.api.answers import iso


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000Z"),
        (1737282600, "2025-01-19T10:30:00.000Z"),
        (1763971199.25, "2025-11-24T07:59:59.250Z"),
        (1763971199.9999998, "2025-11-24T07:59:59.999Z"),
    ],
)
def test_a_time_is_cut_in_all_its_parts(moment: float | None, written: str | None) -> None:
    """Rounded in one part and cut in the other it would be a second ahead."""
    assert iso(moment) == written
