"""Values larger than anybody expects, from everywhere Kommo sends some: stored whole on both databases."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from kommo.db import reading
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store.tables import Connection, CustomField, KommoUser, Stage
from tests.sync.accounts import connect, difference, run

LONG = "Razão social muito comprida \u0000 " * 20
BIG = 2**40


@pytest.fixture
def wide() -> Iterator[Server]:
    """An account in which everything is longer and larger than usual."""
    with serve(make_world(contacts=5, deals=3)) as server:
        world = server.world
        with world.changing():
            state = world.state
            state.profile = replace(state.profile, name=LONG, currency="MOEDALONGA", timezone="America/" + "x" * 100)
        users = world.state.lists["users"]
        world.change_item("users", next(iter(users)), email="a" * 300 + "@exemplo.com.br", name=LONG)
        pipeline = next(iter(world.state.lists["pipelines"]))
        world.change_item("pipelines", pipeline, name=LONG, sort=BIG)
        world.add_stage(pipeline, LONG, color="rgba(255, 255, 255, 0.5) !important", sort=BIG)
        world.add_item("loss_reasons", LONG, sort=BIG)
        field = world.add_item("contacts/custom_fields", LONG, type="text", code="C" * 80, sort=BIG)
        value = {
            "field_id": field,
            "field_name": LONG,
            "field_code": "C" * 80,
            "field_type": "text",
            "values": [{"value": LONG}],
        }
        world.update(
            "contacts",
            world.ids("contacts")[0],
            name=LONG,
            custom_fields_values=[value],
        )
        world.update("leads", world.ids("leads")[0], name=LONG, price=BIG)
        yield server


def test_wide_values_are_kept_whole(services: Services, wide: Server) -> None:
    account = connect(services, wide)
    view = run(services, account)
    assert (view.state, view.errors, view.proved) == ("done", [], True)
    assert difference(services, account, wide.world) == []
    with reading(services.engine) as session:
        assert len(session.get_one(Connection, account).name) == len(LONG)
        assert max(len(user.email or "") for user in session.scalars(select(KommoUser))) > 300
        assert BIG in list(session.scalars(select(Stage.sort)))
        assert "C" * 80 in list(session.scalars(select(CustomField.code)))
