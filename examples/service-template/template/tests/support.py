"""A service on a free port, and requests to it."""

import json
import tempfile
import unittest
import urllib.error
import urllib.request

from {{ package }} import config, log, server


class ServiceTest(unittest.TestCase):
    """Each test has a service of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        log.line = lambda *_, **__: None
        settings = config.Settings(port=0, database=f"{self.folder.name}/test.db")
        self.service = server.start(settings).__enter__()
        self.addCleanup(self.service.__exit__)

    def ask(self, method, path, value=None, raw=None):
        """Status, media type and content; content is read where it is JSON."""
        body = raw if raw is not None else None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.service.url + path, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, headers, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, headers, content = error.code, error.headers, error.read()
        media_type = headers["content-type"]
        return status, media_type, json.loads(content) if content and "json" in media_type else content
