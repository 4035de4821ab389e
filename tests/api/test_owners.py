"""Two owners and two Kommo accounts: nothing of one is ever seen through another."""

from pathlib import Path

import pytest

from kommo.sandbox import OFICINA, PADARIA, Server
from kommo.settings import Settings
from tests.api.conftest import Api, expect_error, expect_good, held_run
from tests.conftest import make_settings
from tests.factories import ANA, BRUNO
from tests.sync.accounts import connect, run

STRANGER = "carla"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """On each engine. No KOMMO_API_URL: each stored connection has the address of its own account."""
    return make_settings(tmp_path, retry_attempts=0)


@pytest.fixture
def both(silent: Api, padaria: Server, oficina: Server) -> Api:
    """Ana holds both accounts, Oficina Norte the last; Bruno holds Padaria Estrela. All are copied."""
    for server, owner in ((padaria, BRUNO), (padaria, ANA), (oficina, ANA)):
        assert run(silent.services, connect(silent.services, server, owner)).proved
    return silent


def names(api: Api, address: str) -> set[str]:
    return {one["name"] for one in expect_good(api.get(address))["data"]}


def test_the_two_accounts_share_ids(padaria: Server, oficina: Server) -> None:
    """Otherwise the tests below would prove less."""
    assert set(padaria.world.ids("contacts")) & set(oficina.world.ids("contacts"))


CHOICES = {
    "": OFICINA,
    f"userId={ANA}": OFICINA,
    f"accountId={OFICINA.account_id}": OFICINA,
    f"accountId={PADARIA.account_id}": PADARIA,
    f"userId={BRUNO}": PADARIA,
    f"userId={BRUNO}&accountId={PADARIA.account_id}": PADARIA,
}


def test_each_owner_reads_the_chosen_account(both: Api, padaria: Server, oficina: Server) -> None:
    """Live and out of the copy; without a choice the last connected one."""
    for choice, account in CHOICES.items():
        server = padaria if account is PADARIA else oficina
        wanted = {server.world.record("contacts", key)["name"] for key in server.world.ids("contacts")}
        for source in ("kommo", "local"):
            assert names(both, f"/contacts?limit=250&source={source}&{choice}") == wanted, choice
        status = expect_good(both.get(f"/sync?{choice}"))["data"]
        assert status["accountId"] == server.world.account_id, choice
        assert status["contactsCount"] == server.world.count("contacts"), choice


def test_one_account_of_two_owners_is_two_copies(both: Api, padaria: Server) -> None:
    record = padaria.world.ids("contacts")[0]
    padaria.world.update("contacts", record, name="Novo nome")
    run(both.services, connect(both.services, padaria, BRUNO))
    assert "Novo nome" in names(both, f"/contacts?limit=250&source=local&userId={BRUNO}")
    assert "Novo nome" not in names(both, f"/contacts?limit=250&source=local&accountId={PADARIA.account_id}")


OF_AN_ACCOUNT = [
    ("GET", "/contacts?"), ("GET", "/deals?"), ("GET", "/contacts?source=local&"), ("GET", "/sync?"),
    ("GET", "/schedule?"), ("POST", "/sync?"), ("POST", "/test-connection?"), ("POST", "/contacts?"),
]  # fmt: skip


def test_a_foreign_account_looks_like_an_unknown_one(both: Api, oficina: Server) -> None:
    """Bruno asks for Ana's Oficina Norte, and for accounts that nobody holds."""
    sent, seen = oficina.world.requests, []
    for account in (OFICINA.account_id, 999, 2**63 - 1):
        for method, path in OF_AN_ACCOUNT:
            address = f"{path}userId={BRUNO}&accountId={account}"
            answer = both.get(address) if method == "GET" else both.post(address, json={"contactId": 20000009})
            seen.append(expect_error(answer, 404, "account_unknown"))
    assert seen[0]["message"] == "Conta não encontrada"
    assert seen[0]["field"] == "accountId"
    assert all(one == seen[0] for one in seen)
    assert oficina.world.requests == sent


def test_an_unknown_owner_has_nothing(both: Api) -> None:
    expect_error(both.get(f"/contacts?userId={STRANGER}"), 401, "token_missing")
    expect_error(both.post("/sync", json={"userId": STRANGER}), 401, "token_missing")
    assert expect_good(both.get(f"/contacts?source=local&userId={STRANGER}"))["data"] == []
    assert expect_good(both.get(f"/sync?userId={STRANGER}"))["data"] is None


def test_a_run_is_seen_by_its_owner_alone(both: Api) -> None:
    """Runs 1, 2 and 3 are Bruno's, Ana's and Ana's."""
    for number, owner, stranger in ((1, BRUNO, ANA), (2, ANA, BRUNO), (3, ANA, STRANGER)):
        assert expect_good(both.get(f"/sync/{number}?userId={owner}"))["data"]["runId"] == number
        foreign = expect_error(both.get(f"/sync/{number}?userId={stranger}"), 404, "run_unknown")
        unknown = expect_error(both.get(f"/sync/777?userId={stranger}"), 404, "run_unknown")
        assert foreign == unknown
    expect_error(both.get(f"/sync/3?accountId={PADARIA.account_id}"), 404, "run_unknown")


def test_runs_that_cannot_be(silent: Api) -> None:
    for number in ("0", "2147483647", "2147483648", "9223372036854775808", "99999999999999999999"):
        expect_error(silent.get(f"/sync/{number}"), 404, "run_unknown")


def test_a_run_of_one_owner_does_not_stand_in_anothers_way(both: Api, padaria: Server) -> None:
    bruno = connect(both.services, padaria, BRUNO)
    headers = {"Prefer": "respond-async"}
    with held_run(both.services, bruno) as run_id:
        taken = both.post("/sync", json={"userId": BRUNO}, headers=headers)
        expect_error(taken, 409, "sync_running")
        assert taken.headers["Location"] == f"/api/kommo/sync/{run_id}?userId={BRUNO}"
        other = both.post("/sync", json={"accountId": PADARIA.account_id}, headers=headers)
        assert expect_good(other, 202)["data"]["runId"] != run_id


def test_a_token_chooses_its_own_account(both: Api, padaria: Server) -> None:
    """A token in the call, without `accountId`: the copy of the account it names, not the last connected one."""
    both.token = padaria.token
    status = expect_good(both.get("/sync"))["data"]
    assert status["accountId"] == PADARIA.account_id
    wanted = {padaria.world.record("contacts", key)["name"] for key in padaria.world.ids("contacts")}
    assert names(both, "/contacts?source=local&limit=250") == wanted


def test_token_and_account_have_to_agree(both: Api, padaria: Server) -> None:
    both.token = padaria.token
    for method, path in OF_AN_ACCOUNT:
        address = f"{path}accountId={OFICINA.account_id}"
        answer = both.get(address) if method == "GET" else both.post(address, json={"contactId": 20000009})
        assert expect_error(answer, 403, "account_mismatch")["field"] == "accountId"


class TestTheEnvironmentsToken:
    """KOMMO_JWT_TOKEN is Padaria Estrela's."""

    @pytest.fixture
    def settings(self, tmp_path: Path, padaria: Server) -> Settings:
        return make_settings(tmp_path, api_url=padaria.address, jwt_token=padaria.token, retry_attempts=0)

    def test_it_serves_every_owner_without_a_connection(self, silent: Api) -> None:
        assert expect_good(silent.get(f"/contacts?userId={STRANGER}"))["data"]

    def test_it_does_not_answer_for_another_account(self, silent: Api, padaria: Server) -> None:
        expect_error(silent.get(f"/contacts?accountId={OFICINA.account_id}"), 404, "account_unknown")
        assert padaria.world.requests == 0
        assert expect_good(silent.get(f"/contacts?accountId={PADARIA.account_id}"))["data"]
