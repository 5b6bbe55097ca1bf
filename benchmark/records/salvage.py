"""What can be read of a file of another version, or of a damaged one."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError


def salvaged(content: object, schema: type[BaseModel]) -> dict[str, Any]:
    """Give the fields of a schema that stand in the content of a JSON file and are what they should be.

    Of a list of objects each one that can be read is taken, without the fields that the schema lacks.
    """
    found: dict[str, Any] = {}
    for name, about in schema.model_fields.items():
        if not isinstance(content, dict) or name not in content:
            continue
        value: object = content[name]
        kind: Any = about.annotation
        entry = next(iter(get_args(kind)), None)
        if isinstance(entry, type) and issubclass(entry, BaseModel):
            found[name] = _entries(value, entry)
            continue
        try:
            found[name] = TypeAdapter(kind).validate_python(value)
        except ValidationError:
            continue
    return found


def _entries(value: object, schema: type[BaseModel]) -> tuple[BaseModel, ...]:
    found = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            known = {name: field for name, field in entry.items() if name in schema.model_fields}
            try:
                found.append(schema.model_validate(known))
            except ValidationError:
                continue
    return tuple(found)
