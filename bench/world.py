"""`python -m bench.world --number 3 …`: a sandbox like `kommo.sandbox`, as one of any number of accounts."""

import argparse
import json
import os
from dataclasses import replace

from bench.tools import KEY
from kommo.sandbox.clock import MovableClock
from kommo.sandbox.server import serve
from kommo.sandbox.world import PROFILES, make_world


def main() -> None:
    """Serve until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--number", "--contacts", "--deals", "--rate", "--latency-ms"):
        parser.add_argument(name, type=int, required=True)
    given = parser.parse_args()
    known = PROFILES["padaria"]
    profile = replace(known, account_id=known.account_id + given.number, subdomain=f"{known.subdomain}{given.number}")
    world = make_world(
        profile, contacts=given.contacts, deals=given.deals, seed_number=given.number, clock=MovableClock()
    )
    with serve(world, rate=given.rate, latency_ms=given.latency_ms, control_key=KEY) as server:
        print(json.dumps({"address": server.address, "token": server.token}), flush=True)
        while os.read(0, 4096):
            pass


if __name__ == "__main__":
    main()
