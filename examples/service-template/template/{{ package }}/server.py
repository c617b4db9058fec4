"""The HTTP server of {{ name }}."""

import http.server
import threading

from . import log, routes
from .database import Database
{% if metrics %}
from .metrics import Metrics
{% endif %}


class Service:
    """A server that runs in a thread of its own."""

    def __init__(self, settings):
        self.database = Database(settings.database)
{% if metrics %}
        self.metrics = Metrics()
{% endif %}
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def respond(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                status, media_type, content = routes.answer(service, self.command, self.path, body)
{% if metrics %}
                service.metrics.count(status)
{% endif %}
                self.send_response(status)
                self.send_header("content-type", media_type)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                log.line("request", method=self.command, path=self.path, status=status)

            do_GET = do_POST = do_DELETE = do_PUT = respond

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((settings.host, settings.port), Handler)
        host, port = self.server.server_address[:2]
        self.url = f"http://{host}:{port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.database.close()

    def wait(self):
        self.thread.join()


def start(settings):
    """A service, to be used in a `with` statement."""
    return Service(settings)
