"""What stands beside the code says the same as the code."""

import json
import pathlib
import unittest

import {{ package }}
from {{ package }}.models import ENTITIES

ROOT = pathlib.Path({{ package }}.__file__).parent


class DocumentsTest(unittest.TestCase):
    def test_the_api_document_names_every_entity(self):
        document = json.loads((ROOT / "openapi.json").read_text())
        self.assertEqual(sorted(document["paths"]), sorted(f"/{name}" for name in ENTITIES))
        for entity in ENTITIES.values():
            schema = document["components"]["schemas"][entity.name]
            self.assertEqual(list(schema["properties"]), [field.name for field in entity.fields])
            self.assertEqual(schema["required"], [field.name for field in entity.fields if field.required])

    def test_the_licence_is_signed(self):
        licence = (ROOT.parent / "LICENSE").read_text()
        self.assertIn({{ (year ~ "")|tojson }}, licence)
        self.assertIn({{ author|tojson }}, licence)
