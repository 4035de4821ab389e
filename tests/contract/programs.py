"""The document's examples, run by what they are written for: curl, and JavaScript in Node or in Chromium."""

import json
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import needs

ENGINES = ("node", "chromium")
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_GIVE = "{result, contacts, syncResult}"
_IN_NODE = """
const real = globalThis.fetch;
globalThis.fetch = (where, how) => real(new URL(where, {address}), how);
{code}
console.error(JSON.stringify({give}));
"""
_IN_CHROMIUM = """
import json, sys
from playwright.sync_api import sync_playwright
given = json.load(sys.stdin)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=given["path"], args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page()
    page.goto(given["address"] + "/conexao")
    print(json.dumps(page.evaluate(given["code"])))
    browser.close()
"""


def curl(command: str, address: str) -> tuple[int, dict[str, Any]]:
    """Run a documented command against a server on another port; gives the status and the JSON of the answer."""
    words = shlex.split(command.replace("localhost:3000", f"localhost:{address.rpartition(':')[2]}"))
    assert words[0] == "curl"
    asked = [
        needs.program("curl"),
        "-q",
        "-sS",
        "--noproxy",
        "*",
        "--max-time",
        "60",
        "-w",
        r"\n%{http_code}",
        *words[1:],
    ]
    done = subprocess.run(asked, capture_output=True, text=True, encoding="utf-8", check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def javascript(engine: str, code: str, address: str, folder: Path) -> dict[str, Any]:
    """Run the documented code; gives its variables `result`, `contacts` and `syncResult`."""
    _require(engine)
    if engine == "node":
        file = folder / "example.mjs"
        text = _IN_NODE.replace("{code}", code).replace("{give}", _GIVE).replace("{address}", json.dumps(address))
        file.write_text(text, encoding="utf-8")
        done = subprocess.run([str(_node()), str(file)], capture_output=True, text=True, encoding="utf-8", timeout=90)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stderr.splitlines()[-1]))
    given = {"path": _chromium(), "address": address, "code": f"async () => {{ {code}\nreturn {_GIVE}; }}"}
    done = subprocess.run(
        [sys.executable, "-c", _IN_CHROMIUM], input=json.dumps(given), capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _require(engine: str) -> None:
    """One of the two is enough: the other one's absence is no fault, even under CI."""
    there = {"node": _node(), "chromium": _chromium()}
    if not any(there.values()):
        needs.missing("Node 18 or Chromium")
    if not there[engine]:
        pytest.skip(f"{engine} is not installed")


@cache
def _node() -> str | None:
    """Node 18 or newer, which has `fetch`."""
    path = shutil.which("node")
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return path if int(said.strip().lstrip("v").partition(".")[0]) >= 18 else None


@cache
def _chromium() -> str | None:
    return next((path for name in _CHROMIUM if (path := shutil.which(name))), None)
