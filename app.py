"""Painel Kommo. `python app.py` starts the web server and the worker; `app:app` is for any other WSGI server."""

import sys
from typing import Any


def __getattr__(name: str) -> Any:
    """`app`, made when a WSGI server or `flask` asks for it: `python app.py` makes its own."""
    if name == "app":
        return _made_app()
    raise AttributeError(name)


def _made_app() -> Any:
    """The application, its log redacted; what stands in its way is one Portuguese line and exit code 2.

    Both as for `python app.py`.
    """
    from kommo import create_app, logs
    from kommo.settings import SettingError, load
    from kommo.store.schema import SchemaError

    try:
        settings = load()
        logs.configure(settings)
        logs.guard()
        return create_app(settings)
    except (SettingError, SchemaError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    from kommo.launch import main

    sys.exit(main())
