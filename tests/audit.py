"""`python -m tests.audit PIP_AUDIT`: known flaws in the packages of this environment, in words; `make audit` calls it.

Exit code 0: none is known. 1: some are, each is named with the version that mends it. 2: nobody could be asked.
"""

import json
import subprocess
import sys
import sysconfig
from typing import Any

UNKNOWN = "O serviço de falhas conhecidas não respondeu (esta máquina alcança a rede?): nada foi conferido."


def main(arguments: list[str]) -> int:
    """Ask and tell; gives the exit code."""
    if len(arguments) != 1:
        print("Diga onde está o pip-audit: python -m tests.audit .venv-audit/bin/pip-audit", file=sys.stderr)
        return 2
    found = ask(arguments[0])
    if not found or all("skip_reason" in one for one in found):  # a mirror may know packages and none of their flaws
        print(UNKNOWN, file=sys.stderr)
        return 2
    flawed = [one for one in found if one.get("vulns")]
    for package in flawed:
        print(sentence(package))
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if skipped:
        print(f"Não conferidos: {', '.join(skipped)}")
    print(f"{len(found) - len(skipped)} pacotes conferidos, {len(flawed)} com falhas conhecidas.")
    return 1 if flawed else 0


def ask(pip_audit: str) -> list[dict[str, Any]] | None:
    """What pip-audit says of each installed package; None where it could not ask."""
    command = [pip_audit, "--format", "json", "--progress-spinner", "off", "--path", sysconfig.get_path("purelib")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        return None
    return found


def sentence(package: dict[str, Any]) -> str:
    """A package's flaws in one line, with what mends them."""
    names = ", ".join(flaw["id"] for flaw in package["vulns"])
    mended = sorted({version for flaw in package["vulns"] for version in flaw.get("fix_versions", [])})
    advice = f"corrigido em {', '.join(mended)}" if mended else "ainda sem correção"
    return f"{package['name']} {package['version']}: {names} ({advice})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
