"""The command line of {{ name }}."""

import argparse
import sys
import urllib.request

from . import config, server


def main(arguments=None):
    settings = config.from_environment()
    parser = argparse.ArgumentParser(prog="{{ package }}", description={{ description|tojson }})
    parser.add_argument("command", choices=["serve", "health"])
    parser.add_argument("--host", default=settings.host)
    parser.add_argument("--port", type=int, default=settings.port)
    parser.add_argument("--database", default=settings.database)
    given = parser.parse_args(arguments)
    settings = config.Settings(given.host, given.port, given.database)
    if given.command == "health":
        with urllib.request.urlopen(f"http://{settings.host}:{settings.port}/health", timeout=5) as answer:
            return 0 if answer.status == 200 else 1
    with server.start(settings) as running:
        print(f"{{ name }} at {running.url}", flush=True)
        try:
            running.wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
