"""What is told to whoever keeps the installation running: whether it lives, whether it can work, and its numbers.

Outside of the pages and of the API: `/healthz` and `/readyz` ask nobody who they are, for `/metrics` one needs
the permission of that name.
"""

from flask import Flask

from kommo.watch import health, metrics, requests

PATHS = ("/healthz", "/readyz", "/metrics")


def register(app: Flask) -> None:
    """Give the application its three addresses; requests are counted and told of by `requests.register`."""
    app.register_blueprint(health.bp)
    app.register_blueprint(metrics.bp)


def begin(app: Flask) -> None:
    """Count and name every request; before anything that may refuse one."""
    requests.register(app)
