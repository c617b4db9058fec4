"""What is answered to which request."""

import json
{% if web %}
import mimetypes
import pathlib
{% endif %}

from .models import ENTITIES
from .validation import Invalid, check
{% if web %}

STATIC = pathlib.Path(__file__).resolve().with_name("static")
{% endif %}


def answer(service, method, path, body):
    """Status, media type and content."""
    parts = [part for part in path.split("?")[0].split("/") if part]
    if method == "GET" and parts == ["health"]:
        healthy = service.database.healthy()
        return as_json(200 if healthy else 503, {"status": "ok" if healthy else "the database cannot be read"})
{% if metrics %}
    if method == "GET" and parts == ["metrics"]:
        return 200, "text/plain; version=0.0.4", service.metrics.text().encode()
{% endif %}
    if parts and parts[0] in ENTITIES and len(parts) <= 2:
        return entity_answer(service.database, ENTITIES[parts[0]], method, parts[1:], body)
{% if web %}
    if method == "GET":
        return static("/".join(parts) or "index.html")
{% endif %}
    return problem(404, f"there is nothing at {path}")


def entity_answer(database, entity, method, rest, body):
    if not rest:
        if method == "GET":
            return as_json(200, database.list(entity))
        if method == "POST":
            return create(database, entity, body)
        return problem(405, f"{method} is not for a list")
    if not (rest[0].isascii() and rest[0].isdigit() and len(rest[0]) <= 18):
        return problem(400, f"`{rest[0]}` is no id")
    number = int(rest[0])
    if method not in ("GET", "DELETE"):
        return problem(405, f"{method} is not for one {entity.name}")
    if method == "DELETE" and database.delete(entity, number):
        return 204, "application/json", b""
    found = database.get(entity, number) if method == "GET" else None
    return as_json(200, found) if found else problem(404, f"there is no {entity.name} {number}")


def create(database, entity, body):
    try:
        values = check(entity, json.loads(body, parse_constant=no_number))
    except Invalid as error:
        return problem(422, str(error))
    except ValueError as error:
        return problem(400, f"not JSON: {error}")
    number = database.create(entity, values)
    return as_json(201, database.get(entity, number))


def no_number(name):
    """NaN and Infinity: Python reads them, JSON has none."""
    raise ValueError(name)
{% if web %}


def static(name):
    if "\0" in name:
        return problem(400, "a path has no zero bytes")
    file = (STATIC / name).resolve()
    if STATIC not in file.parents or not file.is_file():
        return problem(404, f"there is nothing at /{name}")
    return 200, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()
{% endif %}


def as_json(status, value):
    return status, "application/json", json.dumps(value).encode()


def problem(status, detail):
    return status, "application/problem+json", json.dumps({"status": status, "detail": detail}).encode()
