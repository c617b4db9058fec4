"""The HTTP server of {{ name }}."""

import http.server
import threading

from . import log, routes
from .database import Database
{% if metrics %}
from .metrics import Metrics
{% endif %}


LARGEST = 1 << 20


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
                status, media_type, content = self.answer()
{% if metrics %}
                service.metrics.count(status)
{% endif %}
                self.send_response(status)
                self.send_header("content-type", media_type)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                log.line("request", method=self.command, path=self.path, status=status)

            def answer(self):
                length = self.headers.get("content-length") or "0"
                if not (length.isascii() and length.isdigit()):
                    return routes.problem(400, "content-length is no number")
                if int(length[:20]) > LARGEST:
                    return routes.problem(413, f"more than {LARGEST} bytes")
                try:
                    return routes.answer(service, self.command, self.path, self.rfile.read(int(length)))
                except Exception as error:
                    log.line("error", path=self.path, error=repr(error))
                    return routes.problem(500, "this is our fault; the log says more")

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
