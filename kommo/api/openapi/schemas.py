"""From the types to JSON Schema: components for answers, a body or parameters for what a call asks."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from kommo.api.asked import BODY_ONLY, Call
from kommo.api.shapes.base import Shape

Schema = dict[str, Any]
JSON = "application/json"
_REF = "#/components/schemas/{model}"


class _Plain(GenerateJsonSchema):
    """Without titles made up from names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        del schema
        return False


class _OfAnswers(_Plain):
    """Without defaults: a field of an answer that has one is a field that may be missing."""

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """The field's own schema."""
        return self.generate_inner(schema["schema"])


def components(shapes: Iterable[type[Shape]]) -> dict[str, Schema]:
    """The schemas of these types and of all that they consist of, by name."""
    wanted: list[tuple[type[BaseModel], Any]] = [(shape, "validation") for shape in shapes]
    _, made = models_json_schema(wanted, ref_template=_REF, schema_generator=_OfAnswers)
    return {name: _simple(_untold(schema)) for name, schema in sorted(made["$defs"].items())}


def reference(shape: type[Shape]) -> Schema:
    """Where the schema of a type stands in the document."""
    return {"$ref": _REF.format(model=shape.__name__)}


def body(model: type[Call]) -> Schema:
    """The object in a body that `asked.read` takes for this model: null says nothing where a field may be missing."""
    made = _untold(_of(model))
    required = made.get("required", ())
    made["properties"] = {
        name: schema if name in required else _or_null(schema) for name, schema in made["properties"].items()
    }
    return made


def parameters(model: type[Call], *, has_body: bool) -> dict[str, Schema]:
    """What `asked.read` takes from the address for this model, by name."""
    names = [name for name in _of(model)["properties"] if name not in BODY_ONLY]
    if has_body:
        names = [name for name in names if name in Call.model_json_schema()["properties"]]
    return {name: _in_address(_of(model)["properties"][name]) for name in names}


def _of(model: type[Call]) -> Schema:
    made: Schema = _simple(model.model_json_schema(schema_generator=_Plain))
    return made


def _untold(schema: Schema) -> Schema:
    """Without the docstring and name of the class: they are for who reads the code."""
    return {key: value for key, value in schema.items() if key not in ("description", "title")}


def _simple(schema: Any) -> Any:
    """ "anyOf: a type, or null" as one list of types, and without the default null that says no more."""
    if isinstance(schema, list):
        return [_simple(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _simple(value) for key, value in schema.items()}
    if made.get("default", ...) is None:
        del made["default"]
    first, *others = made.get("anyOf", [{}])
    if others == [{"type": "null"}] and "type" in first:
        del made["anyOf"]
        made |= first | {"type": [first["type"], "null"]}
        if "enum" in first:
            made["enum"] = [*first["enum"], None]
    return made


def _types(schema: Schema) -> list[str]:
    found = schema["type"]
    return list(found) if isinstance(found, list) else [found]


def _or_null(schema: Schema) -> Schema:
    types = _types(schema)
    return schema if "null" in types else schema | {"type": [*types, "null"]}


def _in_address(schema: Schema) -> Schema:
    """What is written in an address is text or a number, and never null."""
    types = [name for name in _types(schema) if name != "null"]
    return schema | {"type": "string" if "string" in types else types[0]}
