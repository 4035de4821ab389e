"""Painel Kommo. `python app.py` starts the web server and the worker; `app:app` is for any other WSGI server."""

import sys
from typing import Any


def __getattr__(name: str) -> Any:
    """`app`, made when a WSGI server or `flask` asks for it: `python app.py` makes its own."""
    if name == "app":
        from kommo import create_app

        return create_app()
    raise AttributeError(name)


if __name__ == "__main__":
    from kommo.launch import main

    sys.exit(main())
