"""Whether what somebody sent is what an entity looks like."""

import math


class Invalid(ValueError):
    """It is not; the message says why."""


def check(entity, given):
    """The values of an entity's fields, in order."""
    if not isinstance(given, dict):
        raise Invalid("an object is expected")
    known = {field.name for field in entity.fields}
    for name in given:
        if name not in known:
            raise Invalid(f"{entity.name} has no field `{name}`")
    return [value_of(field, given.get(field.name)) for field in entity.fields]


def value_of(field, value):
    if value is None:
        if field.required:
            raise Invalid(f"`{field.name}` is required")
        return None
    fits = isinstance(value, field.type) and (field.type is bool or not isinstance(value, bool))
    if field.type is float and isinstance(value, int) and not isinstance(value, bool):
        fits = True
    if not fits:
        raise Invalid(f"`{field.name}` must be {field.type.__name__}")
    if not can_be_kept(value):
        raise Invalid(f"`{field.name}` is beyond what can be kept")
    return value


def can_be_kept(value):
    """Whether SQLite takes it: 64 bits, finite, and text that is Unicode."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, float):
        return math.isfinite(value)
    return not any("\ud800" <= character <= "\udfff" for character in value)
