"""What `make audit` says: of flaws, of none, and of a network that is away. And what an SBOM has to hold."""

import json
import stat
from pathlib import Path

import pytest

from kommo.settings import ROOT
from tests import audit

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["1.2.4"], "aliases": [], "description": "x"}
GOOD = {"name": "boa", "version": "1.0", "vulns": []}
BAD = {"name": "ruim", "version": "1.2.3", "vulns": [FLAW, FLAW | {"id": "CVE-2026-2", "fix_versions": []}]}


def program(tmp_path: Path, says: str, code: int = 0) -> str:
    """A program in pip-audit's place."""
    path = tmp_path / "pip-audit"
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_no_flaw_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([program(tmp_path, json.dumps({"dependencies": [GOOD, GOOD]}))]) == 0
    assert capsys.readouterr().out == "2 pacotes conferidos, 0 com falhas conhecidas.\n"


def test_flaws_are_named_with_what_mends_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skipped = {"name": "nossa", "skip_reason": "x"}
    assert audit.main([program(tmp_path, json.dumps({"dependencies": [GOOD, BAD, skipped]}), 1)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ruim 1.2.3: PYSEC-2026-1, CVE-2026-2 (corrigido em 1.2.4)",
        "Não conferidos: nossa",
        "2 pacotes conferidos, 1 com falhas conhecidas.",
    ]


def test_without_a_network_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([program(tmp_path, "", 1)]) == 2
    assert audit.main([str(tmp_path / "nada")]) == 2
    unknown = json.dumps({"dependencies": [{"name": "a", "skip_reason": "x"}, {"name": "b", "skip_reason": "x"}]})
    assert audit.main([program(tmp_path, unknown)]) == 2
    assert audit.main([program(tmp_path, json.dumps({"dependencies": []}))]) == 2
    assert "nada foi conferido" in capsys.readouterr().err


def test_the_tools_are_pinned_and_stay_out_of_the_product() -> None:
    pins = (ROOT / "requirements-audit.txt").read_text(encoding="utf-8")
    names = [line.partition("==")[0] for line in pins.splitlines() if "==" in line]
    assert names == ["pip-audit", "cyclonedx-bom"]
    others = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    assert [name for name in names if name in others] == []
    assert {"sbom.json", ".venv-audit/"} <= set((ROOT / ".gitignore").read_text().split())
