"""htmx: the bytes we mean, from wherever they come, or none at all."""

import io
import tarfile
from pathlib import Path

import pytest

from kommo.pages import assets
from kommo.pages.assets import WrongAsset
from tests.conftest import make_settings
from tests.crm.servers import RawServer, answer, says
from tests.pages.conftest import Person, at_panel

OTHER = b"console.log('not htmx')"


def make_package(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_other_bytes_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    source = tmp_path / "htmx.min.js"
    source.write_bytes(OTHER)
    with pytest.raises(WrongAsset, match=r"não é o htmx 2\.0\.11"):
        assets.install(settings, source)
    assert not assets.place(settings).exists()


@pytest.mark.parametrize(
    "files",
    [{"package/dist/htmx.min.js": OTHER}, {"package/dist/htmx.js": OTHER}, {"../../htmx.min.js": OTHER}, {}],
)
def test_a_package_without_the_right_file_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    package = make_package(tmp_path / "htmx.org-2.0.11.tgz", files)
    with pytest.raises(WrongAsset):
        assets.from_file(package)


def test_a_broken_package_is_refused_with_its_name(tmp_path: Path) -> None:
    package = tmp_path / "htmx.org-2.0.11.tgz"
    package.write_bytes(b"\x1f\x8b" + OTHER)
    with pytest.raises(WrongAsset, match=r"htmx\.org-2\.0\.11\.tgz não é um pacote"):
        assets.from_file(package)


@pytest.mark.parametrize(
    "said",
    [
        answer(302, b"", Location="/outro.js"),
        answer(200, OTHER),
        answer(200, b"x" * 5_000_000),
        answer(404, OTHER),
        answer(200, OTHER, Content_Encoding="gzip"),
    ],
    ids=["elsewhere", "other", "huge", "missing", "broken"],
)
def test_whatever_the_cdn_says_only_the_file_is_taken(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(says(said, answer(200, OTHER))) as cdn:
        monkeypatch.setattr(assets, "HTMX_URL", f"{cdn.address}/htmx.min.js")
        with pytest.raises(WrongAsset):
            assets.from_cdn()
        assert cdn.paths() == ["/htmx.min.js"]  # nothing is followed


def test_the_command_tells_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    source = tmp_path / "htmx.min.js"
    source.write_bytes(OTHER)
    for person in at_panel(make_settings(tmp_path)):
        result = person.client.application.test_cli_runner().invoke(args=["assets", "--from", str(source)])
        assert result.exit_code == 1
        assert result.output.startswith("Error: O arquivo não é o htmx 2.0.11 esperado")
        assert "Traceback" not in result.output


def test_the_local_file_is_served_only_from_its_place(person: Person) -> None:
    address = person.open("/conexao").all("script")[0]["src"]
    assert address.startswith("/assets/htmx.min.js?v=2.0.11")
    assert person.client.get(address).status_code == 404
    path = assets.place(person.services.settings)
    path.parent.mkdir(parents=True)
    path.write_bytes(OTHER)
    with person.client.get(address) as answer:
        assert (answer.status_code, answer.data, answer.mimetype) == (200, OTHER, "text/javascript")
    for other in ("/assets/encryption_key", "/assets/../encryption_key", "/assets/%2e%2e/secret_key"):
        assert person.client.get(other).status_code == 404


def test_an_assets_name_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    (tmp_path / "b.css").write_text("b")
    marks = {assets._mark(str(tmp_path), name) for name in ("a.css", "b.css", "missing.css")}
    assert len(marks) == 3
