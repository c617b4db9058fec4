"""Log lines as JSON, one a line."""

import json
import sys
import time


def line(event, **fields):
    """One line, with the time it was written."""
    record = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "service": {{ package|tojson }}, "event": event}
    record.update(fields)
    print(json.dumps(record), file=sys.stderr, flush=True)
