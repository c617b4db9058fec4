#!/usr/bin/env python3
"""A mail service that sends nothing: it writes down what it took.

`mail_sink.py PORT FILE` listens on that port of this machine (0: a free one), prints its address, and writes each mail as a line
of FILE. A mail whose `Idempotency-Key` it has seen is taken once. As mail services are, it is not always there; the name before
the `@` says when:

    mail_busy…  the first try of a mail is answered with 503
    mail_lost…  the first try is taken, and answered with 503 all the same
    mail_down…  every try is answered with 503
"""

import http.server
import json
import sys
import threading


class Mailbox:
    """What was taken, by key; and which keys were seen."""

    def __init__(self, file):
        self.file = file
        self.lock = threading.Lock()
        self.seen = set()
        self.taken = {}

    def take(self, key, mail):
        """The message's id, or none where the service is away."""
        with self.lock:
            manner = mail["to"].partition("-")[0]
            first = key not in self.seen
            self.seen.add(key)
            if manner == "mail_down" or (manner == "mail_busy" and first):
                return None
            if key not in self.taken:
                self.taken[key] = f"MSG-{len(self.taken) + 1:06}"
                line = {"message_id": self.taken[key], "key": key, **mail}
                self.file.write(json.dumps(line) + "\n")
                self.file.flush()
            return None if manner == "mail_lost" and first else self.taken[key]


class Service(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = self.server.mailbox.take(self.headers["Idempotency-Key"], mail)
        status, answer = (201, {"message_id": message}) if message else (503, {"error": "the mail service is busy"})
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


def main():
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        server = Server(("127.0.0.1", int(sys.argv[1])), Service)
        server.mailbox = Mailbox(file)
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


main()
