"""One fault and what has to hold after it; and those that need a disk of their own, in a process that has one.

`python -m tests.fire.inside FOLDER NAME TIMES` runs in a mount namespace in which FOLDER is a small tmpfs, and prints
the seconds of each recovery as JSON.
"""

import json
import sys
import time
from pathlib import Path

from tests.fire import faults
from tests.fire.faults import disk, kommo, postgresql, processes
from tests.fire.site import Site, standing

__all__ = ["disk", "kommo", "postgresql", "processes", "strike"]


def strike(site: Site, name: str) -> float:
    """Do it, let the site recover, look at what is promised; gives the seconds from the end of the cause on."""
    site.broken = True  # until all of this is over
    begin = time.monotonic()
    before = site.view().id
    site.over()
    faults.ALL[name].deed(site)
    assert site.ended_at > begin
    site.recover(before)
    took = time.monotonic() - site.ended_at
    site.check()
    site.broken = False
    return took


def main() -> int:
    """Do one fault so many times on an installation in a folder."""
    folder, name, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with standing(folder) as site:
        print(json.dumps([strike(site, name) for _ in range(times)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
