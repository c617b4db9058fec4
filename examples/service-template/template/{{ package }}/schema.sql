{% import "_templates/macros.jinja" as macros %}
{% for entity in entities %}
CREATE TABLE IF NOT EXISTS {{ entity.name }} (
    id INTEGER PRIMARY KEY,
{% for field in entity.fields %}
    {{ field.name }} {{ macros.sql_type(field.type) }}{{ " NOT NULL" if field.required }}{{ "," if not loop.last }}
{% endfor %}
);
{% endfor %}
