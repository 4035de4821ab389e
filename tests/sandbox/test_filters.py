"""Which rows a list shows, and in which order."""

from __future__ import annotations

import pytest

from kommo.sandbox import World

from .conftest import NOW, Api


def _three(world: World, kind: str = "contacts") -> list[int]:
    """Three records of three successive seconds, long before everything else."""
    return [world.add(kind, name=f"N{at}", created_at=at, updated_at=at) for at in (1000, 1001, 1002)]


@pytest.mark.parametrize(
    "query", ["filter[id][]={0}&filter[id][]={2}", "filter[id][0]={0}&filter[id][1]={2}", "filter[id]={0},{2}"]
)
def test_by_ids_in_every_notation(api: Api, world: World, query: str) -> None:
    ids = _three(world)

    assert api.ids("contacts", query.format(*ids)) == [ids[0], ids[2]]


def test_ids_that_no_record_can_have_match_nothing(api: Api) -> None:
    assert api.ids("contacts", "filter[id][]=banana&filter[id][]=-1&filter[id][]=99999999999999999999") == []


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [
        ("[from]=1001&filter[updated_at][to]=1001", [1]),
        ("[from]=1001&filter[updated_at][to]=1500", [1, 2]),
        ("[to]=1001", [0, 1]),
        ("=1001", [1]),
        ("=1001,1002", [1, 2]),
        ("[from]=1003&filter[updated_at][to]=2000", []),
    ],
)
@pytest.mark.parametrize("kind", ["contacts", "leads", "companies"])
def test_ranges_are_inclusive_and_a_bare_value_is_exact(
    api: Api, world: World, kind: str, bounds: str, wanted: list[int]
) -> None:
    ids = _three(world, kind)

    assert api.ids(kind, f"filter[updated_at]{bounds}") == [ids[place] for place in wanted]


def test_from_alone_is_since(api: Api, world: World) -> None:
    newest = world.add("contacts", name="Agora", updated_at=NOW + 5)

    assert api.ids("contacts", f"filter[updated_at][from]={NOW + 1}") == [newest]


def test_a_range_of_creation_and_one_of_change_both_hold(api: Api, world: World) -> None:
    first = world.add("leads", name="A", created_at=1000, updated_at=5000)
    world.add("leads", name="B", created_at=1000, updated_at=9000)
    query = "filter[created_at][to]=1000&filter[updated_at][to]=6000"

    assert api.ids("leads", query) == [first]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter[price]=700", ["Torta"]),
        ("filter[price][from]=100&filter[price][to]=700", ["Bolo", "Torta"]),
        ("filter[name]=Bolo", ["Bolo"]),
        ("filter[name][]=Bolo&filter[name][]=Cesta, grande", ["Bolo", "Cesta, grande"]),
        ("filter[responsible_user_id]=7002", ["Bolo"]),
        ("filter[created_by][]=0", ["Torta"]),
        ("filter[closed_at][from]=2000&filter[closed_at][to]=2000", ["Cesta, grande"]),
        ("filter[closest_task_at][to]=2500", ["Torta"]),
    ],
)
def test_filters_of_deals(api: Api, world: World, query: str, names: list[str]) -> None:
    world.bulk_delete("leads", 1000)
    world.add("leads", name="Bolo", price=100, responsible_user_id=7002)
    world.add("leads", name="Torta", price=700, by=0, closest_task_at=2400)
    world.add("leads", name="Cesta, grande", price=5000, status_id=142, closed_at=2000)

    assert [row["name"] for row in api.rows("leads", query)] == names


def test_stages_are_pairs(api: Api, world: World) -> None:
    world.bulk_delete("leads", 1000)
    one, two, _ = sorted(world.state.lists["pipelines"])
    won_one = world.add("leads", pipeline_id=one, status_id=142)
    won_two = world.add("leads", pipeline_id=two, status_id=142)
    lost_two = world.add("leads", pipeline_id=two, status_id=143)

    def stage(place: int, pipeline: int, status: int) -> str:
        return f"filter[statuses][{place}][pipeline_id]={pipeline}&filter[statuses][{place}][status_id]={status}"

    assert api.ids("leads", stage(0, one, 142)) == [won_one]
    assert api.ids("leads", f"{stage(0, two, 142)}&{stage(1, two, 143)}") == [won_two, lost_two]
    assert api.ids("leads", f"filter[pipeline_id][]={two}") == [won_two, lost_two]


def test_custom_field_filter_by_option_or_text(api: Api, world: World) -> None:
    fields = world.state.lists["leads/custom_fields"]
    origin = next(one for one in fields.values() if one["name"] == "Origem")
    option = origin["enums"][0]
    value = {"value": option["value"], "enum_id": option["id"], "enum_code": None}
    item = {"field_id": origin["id"], "field_name": "Origem", "field_code": None, "field_type": "select"}
    deal = world.add("leads", custom_fields_values=[{**item, "values": [value]}])

    for wanted in (option["id"], option["value"]):
        assert deal in api.ids("leads", f"filter[custom_fields_values][{origin['id']}][]={wanted}&limit=250")
    assert deal not in api.ids("leads", f"filter[custom_fields_values][{origin['id']}][]=nada")


def test_unknown_filters_are_ignored(api: Api, world: World) -> None:
    assert len(api.ids("leads", "filter[tags_id][]=1&filter=oops&filter[x][y][z]=1&limit=250")) == world.count("leads")


@pytest.mark.parametrize("kind", ["contacts", "leads", "companies"])
@pytest.mark.parametrize("key", ["id", "updated_at"])
def test_orders_both_ways(api: Api, kind: str, key: str) -> None:
    rows = api.rows(kind, f"order[{key}]=asc&limit=250")
    backwards = api.rows(kind, f"order[{key}]=desc&limit=250")

    assert [row[key] for row in rows] == sorted(row[key] for row in rows)
    assert [row["id"] for row in backwards] == [row["id"] for row in reversed(rows)]


def test_only_deals_are_ordered_by_creation(api: Api, world: World) -> None:
    late = world.add("leads", name="Importado", created_at=1)
    contact = world.add("contacts", name="Importado", created_at=1)

    assert api.ids("leads", "order[created_at]=asc&limit=1") == [late]
    assert api.ids("contacts", "order[created_at]=asc&limit=1") != [contact]


@pytest.mark.parametrize("query", ["joao", "JOÃO", "João da", "araujo joao"])
def test_search_forgives_case_and_accents(api: Api, world: World, query: str) -> None:
    world.bulk_delete("contacts", 1000)
    joao = world.add("contacts", name="João da Araújo")
    world.add("contacts", name="Joana")

    assert api.ids("contacts", f"query={query}") == [joao]


@pytest.mark.parametrize("typed", ["11987654321", "98765-4321", "(11) 98765", "4321"])
def test_search_finds_phones_however_they_are_typed(api: Api, world: World, typed: str) -> None:
    world.bulk_delete("contacts", 1000)
    phone = next(one for one in world.state.lists["contacts/custom_fields"].values() if one["code"] == "PHONE")
    item = {"field_id": phone["id"], "field_name": "Telefone", "field_code": "PHONE", "field_type": "multitext"}
    ana = world.add(
        "contacts", name="Ana", custom_fields_values=[{**item, "values": [{"value": "+55 (11) 98765-4321"}]}]
    )

    assert api.ids("contacts", f"query={typed}") == [ana]


def test_search_on_deals_looks_at_tags_too(api: Api, world: World) -> None:
    tag = next(iter(world.state.lists["leads/tags"].values()))
    deal = world.add("leads", name="Sem nada", _embedded={"tags": [{**tag, "name": "Só este"}]})

    assert api.ids("leads", "query=so este") == [deal]


def test_search_and_filter_together(api: Api, world: World) -> None:
    old = world.add("contacts", name="Zuleica", updated_at=1000)
    world.add("contacts", name="Zuleica")

    assert api.ids("contacts", "query=zuleica&filter[updated_at][to]=1000") == [old]


def test_brackets_that_make_no_sense_do_no_harm(api: Api) -> None:
    for query in ("filter[[[=1", "filter]=1", "[]=1", "a[b]c=1", "filter[id]=1&filter[id][x]=2", "=", "&&&", "%zz=%"):
        assert api.query("contacts", query).status_code in (200, 204), query


def test_deep_brackets_do_no_harm(api: Api) -> None:
    assert api.query("contacts", f"filter{'[x]' * 500}=1").status_code == 200
