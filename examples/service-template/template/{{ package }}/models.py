{% import "_templates/macros.jinja" as macros %}
"""What {{ name }} keeps."""

from typing import NamedTuple, Tuple


class Field(NamedTuple):
    name: str
    type: type
    required: bool


class Entity(NamedTuple):
    name: str
    fields: Tuple[Field, ...]


{% for entity in entities %}
{{ entity.name|upper }} = Entity(
    "{{ entity.name }}",
    (
    {% for field in entity.fields %}
        Field("{{ field.name }}", {{ macros.python_type(field.type) }}, {{ field.required }}),
    {% endfor %}
    ),
)
{% endfor %}

ENTITIES = { {%- for entity in entities %}"{{ entity.name }}s": {{ entity.name|upper }}{{ ", " if not loop.last }}{% endfor -%} }
