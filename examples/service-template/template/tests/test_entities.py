{% import "_templates/macros.jinja" as macros %}
from tests.support import ServiceTest
{% for entity in entities %}


class {{ entity.name|title }}Test(ServiceTest):
    WHOLE = { {%- for field in entity.fields %}"{{ field.name }}": {{ macros.sample(field, loop.index) }}{{ ", " if not loop.last }}{% endfor -%} }

    def test_one_is_created_listed_shown_and_deleted(self):
        status, _, made = self.ask("POST", "/{{ entity.name }}s", self.WHOLE)
        self.assertEqual(status, 201)
        self.assertEqual(made, {"id": 1, **self.WHOLE})
        self.assertEqual(self.ask("GET", "/{{ entity.name }}s")[2], [made])
        self.assertEqual(self.ask("GET", "/{{ entity.name }}s/1")[2], made)
        self.assertEqual(self.ask("DELETE", "/{{ entity.name }}s/1")[0], 204)
        self.assertEqual(self.ask("GET", "/{{ entity.name }}s/1")[0], 404)
        self.assertEqual(self.ask("GET", "/{{ entity.name }}s")[2], [])
{% for field in entity.fields if field.required %}

    def test_{{ field.name }}_is_required(self):
        part = {name: value for name, value in self.WHOLE.items() if name != "{{ field.name }}"}
        status, _, problem = self.ask("POST", "/{{ entity.name }}s", part)
        self.assertEqual(status, 422)
        self.assertIn("{{ field.name }}", problem["detail"])
{% endfor %}
{% for field in entity.fields|rejectattr("required") %}

    def test_{{ field.name }}_is_not_required(self):
        part = {name: value for name, value in self.WHOLE.items() if name != "{{ field.name }}"}
        status, _, made = self.ask("POST", "/{{ entity.name }}s", part)
        self.assertEqual((status, made["{{ field.name }}"]), (201, None))
{% endfor %}

    def test_an_unknown_field_is_refused(self):
        self.assertEqual(self.ask("POST", "/{{ entity.name }}s", {**self.WHOLE, "colour": "red"})[0], 422)

    def test_what_is_no_json_is_refused(self):
        self.assertEqual(self.ask("POST", "/{{ entity.name }}s", raw=b"{")[0], 400)

    def test_what_is_no_id_is_refused(self):
        for wrong in ("first", "-1", "%C2%B2", "9" * 20):
            self.assertEqual(self.ask("GET", f"/{{ entity.name }}s/{wrong}")[0], 400)

    def test_one_is_not_replaced(self):
        self.assertEqual(self.ask("PUT", "/{{ entity.name }}s/1", self.WHOLE)[0], 405)
{% for field in entity.fields if field.type != "boolean" %}

    def test_{{ field.name }}_has_bounds(self):
{% if field.type == "text" %}
        wrong, status = "\ud800", 422
{% elif field.type == "integer" %}
        wrong, status = 2**63, 422
{% else %}
        wrong, status = float("nan"), 400
{% endif %}
        self.assertEqual(self.ask("POST", "/{{ entity.name }}s", {**self.WHOLE, "{{ field.name }}": wrong})[0], status)
{% endfor %}
{% endfor %}
