"""The World's verbs over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kommo.sandbox import World, serve
from kommo.sandbox.control import VERBS

from .conftest import NOW, Api

Control = Callable[..., Any]


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with serve(world, control_key="segredo") as server:
        client = Api(server, server.token)
        with client.session:
            yield client


@pytest.fixture
def control(api: Api) -> Control:
    def ask(verb: str, **arguments: Any) -> Any:
        answer = api.ask("POST", f"/_control/{verb}", arguments, headers={"X-Control-Key": "segredo"})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    return ask


def test_records_come_change_and_go(api: Api, world: World, control: Control) -> None:
    one = control("add", kind="contacts", values={"name": "Ana"})
    two = control("add", kind="contacts", values={"name": "Bruno"})
    control("change", kind="contacts", id=one, values={"name": "Ana Lima"})
    assert api.get(f"contacts/{one}").json()["name"] == "Ana Lima"
    assert control("record", kind="contacts", id=one)["name"] == "Ana Lima"

    control("delete", kind="contacts", ids=[one, two])
    assert control("ids", kind="contacts", deleted=True) == [one, two]
    control("restore", kind="contacts", ids=[one])
    control("purge", kind="contacts", ids=[two])
    assert control("ids", kind="contacts", deleted=True) == []
    assert one in control("ids", kind="contacts")
    assert len(control("bulk_delete", kind="contacts", number=7)) == 7


def test_links_and_merges(world: World, control: Control) -> None:
    deal, ana, bruno = world.ids("leads")[0], world.add("contacts"), world.add("contacts")
    ends = {"kind": "leads", "id": deal, "to_kind": "contacts"}
    control("link", **ends, to_id=ana, is_main=True)
    control("link", **ends, to_id=bruno)
    control("unlink", **ends, to_id=bruno)
    assert ana in world.contacts_of(deal)
    assert bruno not in world.contacts_of(deal)

    control("merge", kind="contacts", winner=bruno, loser=ana)

    assert bruno in world.contacts_of(deal)


def test_directories(world: World, control: Control) -> None:
    pipeline = control("add_item", what="pipelines", name="Eventos", values={"stages": ["Novo"]})
    stage = control("add_stage", pipeline=pipeline, name="Depois")
    control("change_item", what="pipelines", id=pipeline, values={"name": "Festas"})
    control("change_stage", pipeline=pipeline, stage=stage, values={"name": "Fim"})

    found = world.state.lists["pipelines"][pipeline]
    assert (found["name"], [one["name"] for one in found["statuses"]][-1]) == ("Festas", "Fim")
    control("remove_stage", pipeline=pipeline, stage=stage)
    control("remove_item", what="pipelines", id=pipeline)
    assert pipeline not in world.state.lists["pipelines"]


def test_faults_switches_block_and_rate(api: Api, world: World, control: Control) -> None:
    control("fail", match="/contacts", times=2, how="500", skip=1)
    assert [api.get("contacts").status_code for _ in range(3)] == [200, 500, 500]
    control("fail", match="/contacts", times=None, how="502")
    control("heal")
    assert api.get("contacts").status_code == 200

    control("switches", page_zero="400")
    assert api.query("contacts", "page=0").status_code == 400

    control("block")
    assert api.get("account").status_code == 403
    control("unblock")
    control("rate", rate=1)
    assert 429 in {api.get("account").status_code for _ in range(5)}


def test_counters_and_log_leave_control_out(api: Api, control: Control) -> None:
    api.query("contacts", "page=2")

    found = control("counters")

    assert {key: found[key] for key in ("requests", "rejected_429", "blocked", "max_in_one_second")} == {
        "requests": 1, "rejected_429": 0, "blocked": False, "max_in_one_second": 1,
    }  # fmt: skip
    (seen,) = control("log")
    assert (seen["method"], seen["path"], seen["query"], seen["status"]) == ("GET", "/api/v4/contacts", "page=2", 200)
    control("reset")
    assert (control("counters")["requests"], control("log")) == (0, [])


def test_control_works_while_everything_else_is_blocked(world: World, control: Control) -> None:
    world.block()
    world.fail("", None, "reset")

    assert control("counters")["blocked"] is True


def test_the_clock(api: Api, control: Control) -> None:
    assert control("clock", advance=90) == NOW + 90
    assert api.get("account").headers["Date"] == "Mon, 23 Nov 2026 16:01:30 GMT"


def test_a_token_made_to_measure(api: Api, control: Control) -> None:
    api.token = control("token", scopes=["files"])

    assert api.get("contacts").status_code == 403


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("delete", {"kind": "contacts", "ids": [1]}),
        ("fail", {"match": "x", "how": "nope"}),
        ("switches", {"banana": 1}),
        ("add", {"colour": "red"}),
        ("record", {"kind": "poems", "id": 1}),
    ],
)
def test_a_wrong_argument_is_told(api: Api, verb: str, arguments: dict[str, Any]) -> None:
    answer = api.ask("POST", f"/_control/{verb}", arguments, headers={"X-Control-Key": "segredo"})

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/_control/nope"), ("GET", "/_control/counters"), ("POST", "/_control/")]
)
def test_what_is_no_verb_is_404(api: Api, method: str, path: str) -> None:
    assert api.ask(method, path, headers={"X-Control-Key": "segredo"}).status_code == 404


def test_every_verb_is_tested_here() -> None:
    from pathlib import Path

    text = Path(__file__).read_text("utf-8")

    assert [verb for verb in VERBS if f'"{verb}"' not in text.partition("def test_every_verb")[0]] == []
