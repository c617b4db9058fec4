from {{ package }} import __version__, config
from tests.support import ServiceTest


class HealthTest(ServiceTest):
    def test_it_is_healthy(self):
        self.assertEqual(self.ask("GET", "/health")[0], 200)

    def test_what_is_not_there_is_not_found(self):
        status, media_type, problem = self.ask("GET", "/nothing")
        self.assertEqual((status, media_type, problem["status"]), (404, "application/problem+json", 404))

    def test_it_is_ill_without_its_database(self):
        self.service.database.close()
        self.assertEqual(self.ask("GET", "/health")[0], 503)

    def test_its_version_is_the_one_that_was_rendered(self):
        self.assertEqual(__version__, "{{ version }}")

    def test_settings_come_from_the_environment(self):
        settings = config.from_environment({"{{ package|upper }}_PORT": "1234"})
        self.assertEqual((settings.port, settings.host), (1234, "127.0.0.1"))
        self.assertEqual(config.from_environment({}).port, {{ port }})
