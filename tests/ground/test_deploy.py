"""docs/deploy: units, compose file and image name settings, commands and packages that exist, and give few rights."""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kommo.settings import ROOT, SettingError, load, variables
from tests import needs
from tests.ground.test_docs import help_of, text_of

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
OURS = ("web", "worker")


def entries(path: Path) -> dict[str, list[str]]:
    """A unit's settings, each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in text_of(path).splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def compose() -> dict[str, Any]:
    """The compose file."""
    found: dict[str, Any] = yaml.safe_load(text_of(DEPLOY / "compose.yaml"))
    return found


def sample() -> dict[str, str]:
    """The settings that the sample for all machines gives."""
    lines = [line for line in text_of(DEPLOY / "painel-kommo.env").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def require_command(words: list[str]) -> None:
    """Fail where a command of ours, behind the interpreter, does not exist or has no such option."""
    if words[0] == "-m":
        assert importlib.util.find_spec(words[1])
        help_text = help_of("-m", words[1])
        options = words[2:]
    else:
        assert (ROOT / words[0]).is_file()
        help_text, options = help_of(words[0]), words[1:]
    assert [option for option in options if option not in help_text] == []


def test_there_is_a_unit_for_each_process() -> None:
    assert [path.name for path in UNITS] == ["painel-kommo-worker@.service", "painel-kommo.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_exists_with_settings_that_exist(unit: Path) -> None:
    found = entries(unit)
    program, *words = shlex.split(found["ExecStart"][0])
    assert program == f"{found['WorkingDirectory'][0]}/.venv/bin/python"
    require_command(words)
    given = [value.partition("=")[0] for value in found["Environment"]]
    assert set(given) <= set(variables())
    assert found["EnvironmentFile"] == ["/etc/painel-kommo.env"]
    folder = found["Environment"][0].partition("=")[2]
    assert folder == f"%S/{found['StateDirectory'][0]}"  # the one folder that may be written


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_has_the_least_rights(unit: Path) -> None:
    found = entries(unit)
    assert found["User"] == found["Group"] == ["painel"]
    wanted = {
        "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "", "UMask": "0077", "StateDirectoryMode": "0700", "Restart": "always",
    }  # fmt: skip
    assert {name: found[name][0] for name in wanted} == wanted
    assert int(found["TimeoutStopSec"][0]) > 10  # a worker has that long to end its page


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name.replace("@.", "@1.")
    copy.write_text(text_of(unit))
    (tmp_path / unit.name).write_text(text_of(unit))
    done = subprocess.run(
        [needs.program("systemd-analyze"), "verify", str(copy)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("painel") or str(tmp_path) in line]
    assert [line for line in said if "/opt/painel-kommo/.venv/bin/python is not executable" not in line] == []


def test_the_sample_names_settings_and_asks_for_a_key() -> None:
    found = sample()
    assert set(found) <= set(variables())
    assert {"DATABASE_URL", "KOMMO_QUEUE_URL", "KOMMO_ENCRYPTION_KEY", "KOMMO_RATE_LIMIT", "KOMMO_LEASE"} <= set(found)
    with pytest.raises(SettingError, match="KOMMO_ENCRYPTION_KEY"):
        load(_env_file=DEPLOY / "painel-kommo.env")


def test_what_the_sample_gives_is_accepted(tmp_path: Path) -> None:
    values = sample() | {"KOMMO_ENCRYPTION_KEY": "ab" * 32}
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    found = load(_env_file=tmp_path / "env")
    assert found.database == values["DATABASE_URL"]
    assert found.queue == values["KOMMO_QUEUE_URL"]
    assert found.rate_limit == 6


def test_compose_starts_what_exists_with_settings_that_exist(tmp_path: Path) -> None:
    services = compose()["services"]
    for name in OURS:
        program, *words = services[name]["command"]
        assert program == "python"
        require_command(words)
        given = {key: re.sub(r"\$\{POSTGRES_PASSWORD:\?\}", "senha", value) for key, value in
                 services[name]["environment"].items()}  # fmt: skip
        given = {key: re.sub(r"\$\{KOMMO_ENCRYPTION_KEY:\?\}", "ab" * 32, value) for key, value in given.items()}
        assert set(given) <= set(variables())
        assert [value for value in given.values() if "$" in value] == []
        (tmp_path / "env").write_text("".join(f"{key}={value}\n" for key, value in given.items()))
        assert load(_env_file=tmp_path / "env").database_url == given["DATABASE_URL"]
    assert services["web"]["environment"] == services["worker"]["environment"]
    assert services["worker"]["deploy"]["replicas"] > 1


def test_compose_opens_nothing_to_the_network_and_gives_few_rights() -> None:
    services = compose()["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    for name in OURS:
        assert services[name]["network_mode"] == "host"  # the panel answers to its own machine only
        assert "HOST" not in services[name]["environment"]
        assert (services[name]["read_only"], services[name]["cap_drop"]) == (True, ["ALL"])


def test_compose_s_services_and_volumes_exist() -> None:
    found = compose()
    for service in found["services"].values():
        assert set(service.get("depends_on", {})) <= set(found["services"])
        named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert named <= set(found["volumes"])
    build = found["services"]["web"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_the_image_copies_what_exists_and_installs_what_is_pinned() -> None:
    text = text_of(DEPLOY / "Dockerfile")
    copied = [words.split()[0] for words in re.findall(r"^COPY (.+)$", text, re.MULTILINE)]
    folders, files = {"kommo", "migrations", "templates", "static"}, {"app.py", "requirements.txt", "constraints.txt"}
    assert folders | files == set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    pins = text_of(ROOT / "requirements-dev.txt").split()
    assert [pin for pin in re.findall(r"[a-z-]+(?:\[\w+\])?==[\w.]+", text) if pin not in pins] == []
    assert re.search(r"^USER painel$", text, re.MULTILINE)
    assert set(re.findall(r"\b(KOMMO_\w+)=", text)) <= set(variables())


def test_every_file_is_linked_from_the_operation_s_document() -> None:
    told = text_of(ROOT / "docs" / "operation.md")
    assert [path.name for path in sorted(DEPLOY.iterdir()) if f"(deploy/{path.name})" not in told] == []
