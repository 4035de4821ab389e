"""`python -m kommo.sandbox`: serve the sandbox alone, print its address and a token."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

from kommo.sandbox.clock import MovableClock
from kommo.sandbox.portuguese import Parser, fail, reason
from kommo.sandbox.server import Server, serve
from kommo.sandbox.storage import StorageError
from kommo.sandbox.world import PROFILES, World, make_world, open_world


def _number(lowest: float, highest: float, kind: type[int] | type[float] = int) -> Any:
    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text} não é um número") from None
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text} não está entre {lowest} e {highest}")
        return value

    return read


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = Parser(prog="python -m kommo.sandbox", description="Um Kommo de mentira, só nesta máquina.")
    many = _number(0, 1_000_000)
    made.add_argument("--port", type=_number(0, 65535), default=0, help="porta; 0 escolhe uma livre")
    made.add_argument("--contacts", type=many, default=4300, help="quantos contatos")
    made.add_argument("--deals", type=many, default=1900, help="quantas negociações")
    made.add_argument("--rate", type=_number(0, 10_000), default=7, help="pedidos por segundo; 0 = sem limite")
    made.add_argument("--latency-ms", type=_number(0, 60_000, float), default=0, help="espera por resposta")
    made.add_argument("--seed", type=_number(-(2**63), 2**63), default=1, help="número de que saem os dados")
    made.add_argument("--data", default="", help="arquivo em que os dados ficam guardados")
    made.add_argument("--control-key", default="", help="liga /_control, para testes")
    made.add_argument("--account", choices=sorted(PROFILES), default="padaria", help="qual conta")
    made.add_argument("--json", action="store_true", help="uma linha JSON em vez de texto")
    made.add_argument("--until-stdin-closes", action="store_true", help="termina quando a entrada se fecha")
    return made


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C, SIGTERM, or the end of stdin. Exit code 2, and one line why, if it cannot start."""
    options = parser().parse_args(arguments)
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if options.until_stdin_closes:
        threading.Thread(target=_watch_stdin, daemon=True).start()
    with _start(options) as server:
        _announce(server, as_json=options.json)
        # In short waits: on Windows a long one would not hear Ctrl-C.
        while not ended.wait(1):
            pass


def _start(options: argparse.Namespace) -> Server:
    try:
        world = _world(options)
    except StorageError as error:
        fail(str(error))
    try:
        return serve(
            world, options.port, rate=options.rate, latency_ms=options.latency_ms, control_key=options.control_key
        )
    except OSError as error:
        world.close()
        fail(f"Não foi possível usar a porta {options.port}: {reason(error)}.")


def _world(options: argparse.Namespace) -> World:
    sizes = {"contacts": options.contacts, "deals": options.deals, "seed_number": options.seed}
    clock = MovableClock()
    profile = PROFILES[options.account]
    return (
        open_world(options.data, profile, **sizes, clock=clock)
        if options.data
        else make_world(profile, **sizes, clock=clock)
    )


def _announce(server: Server, *, as_json: bool) -> None:
    if as_json:
        line = {"address": server.address, "token": server.token, "account_id": server.world.account_id}
        print(json.dumps(line), flush=True)  # noqa: T201
    else:
        name = server.world.state.profile.name
        print(f"{name} em {server.address} - token: {server.token}", flush=True)  # noqa: T201


def _watch_stdin() -> None:
    """End the process when whoever started it is gone: its end of our stdin closes with it."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(5)
    os._exit(0)


if __name__ == "__main__":
    main()
