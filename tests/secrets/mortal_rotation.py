"""`python -m tests.secrets.mortal_rotation N`: a rotation that is killed (SIGKILL) at its step number N.

A step is whatever may outlive the process: a key file that is opened for writing, renamed or removed, and either side
of each commit. It prints how many steps it saw where it lives on.
"""

import os
import signal
import sys
from typing import Any

from kommo.connect import keys
from kommo.services import open_services
from kommo.settings import load


class Steps:
    """Counts, and kills this process at the step it is told to."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.seen = 0

    def step(self) -> None:
        self.seen += 1
        if self.seen == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename", "os.remove") and "encryption_key" in str(arguments[0]):
            writes = event != "open" or arguments[2] & os.O_WRONLY
            if writes:
                self.step()


def main() -> None:
    services = open_services(load(_env_file=None))
    steps = Steps(int(sys.argv[1]))
    commit = services.engine.dialect.do_commit

    def stepping(connection: Any) -> None:
        steps.step()
        commit(connection)
        steps.step()

    services.engine.dialect.do_commit = stepping  # type: ignore[method-assign]
    sys.addaudithook(steps.audit)
    keys.rotate(services, lambda _sentence: None)
    print(steps.seen)


if __name__ == "__main__":
    main()
