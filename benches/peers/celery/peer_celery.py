"""Celery with the settings of its own benchmark, and results: they go to Redis, too."""

import argparse
import json
import os
import subprocess
import sys
import time

from celery import Celery
from celery import __version__ as VERSION
from redis import Redis

# Tasks whose latency counts, after those that warm everything up.
SAMPLES = 300
WARM_UP = 50
# Between two questions whether something is so.
ASK_SECONDS = 0.005

URL = os.environ.get("REDIS_URL") or sys.exit("REDIS_URL is not set; next: set it to the URL of an empty Redis")
BROKER, RESULTS = f"{URL}/0", f"{URL}/1"

app = Celery("peer", broker=BROKER, backend=RESULTS)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_pool_limit=10,
    task_default_delivery_mode=1,
    task_serializer="json",
    worker_prefetch_multiplier=0,
)


@app.task(name="noop")
def noop(_):
    return 0


def start_workers(count, pool):
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "peer_celery", "worker", "--pool", pool, "--loglevel", "ERROR"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    if pool != "solo":
        command += ["--concurrency", "2"]
    here = os.path.dirname(os.path.abspath(__file__))
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    quiet = {"stdout": subprocess.DEVNULL, "cwd": here, "env": environment}
    return [subprocess.Popen([*command, "--hostname", f"worker{index}@peer"], **quiet) for index in range(count)]


def stop(workers):
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait()


def wait_for(count, results, workers):
    while (done := results.dbsize()) < count:
        if any(worker.poll() is not None for worker in workers):
            sys.exit(f"a worker ended after {done} tasks")
        time.sleep(ASK_SECONDS)
    return done


def drain(tasks, processes, pool):
    """From the first result to the last, since a worker takes long to start."""
    with app.producer_or_acquire() as producer:
        for index in range(tasks):
            noop.apply_async((index,), producer=producer)
    results = Redis.from_url(RESULTS)
    workers = start_workers(processes, pool)
    try:
        first = wait_for(1, results, workers)
        began = time.monotonic()
        wait_for(tasks, results, workers)
        return (tasks - first) / (time.monotonic() - began)
    finally:
        stop(workers)


def latencies():
    workers = start_workers(1, "solo")
    try:
        samples = []
        for index in range(WARM_UP + SAMPLES):
            began = time.monotonic()
            # Bounded, for the first of them until the worker is there.
            noop.delay(index).get(timeout=30)
            if index >= WARM_UP:
                samples.append((time.monotonic() - began) * 1e3)
        return sorted(samples)
    finally:
        stop(workers)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=5_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--pool", choices=["solo", "prefork"], default="solo")
    chosen = parser.parse_args()
    rate = drain(chosen.tasks, chosen.processes, chosen.pool)
    samples = latencies()
    redis = Redis.from_url(URL)
    kept = {name: redis.config_get(name)[name] for name in ("appendonly", "appendfsync")}
    line = {
        "peer": "Celery",
        "version": VERSION,
        "what": "drain of a preloaded backlog; latency of one task at a time",
        "tasks": chosen.tasks,
        "rate": round(rate),
        "samples": len(samples),
        "p50_ms": round(samples[int((len(samples) - 1) * 0.5)], 3),
        "p99_ms": round(samples[int((len(samples) - 1) * 0.99)], 3),
        "settings": f"{chosen.processes} workers, pool {chosen.pool}, worker_prefetch_multiplier 0, results in Redis; "
        "for latency: 1 worker",
        "server": f"Redis {redis.info('server')['redis_version']}, appendonly {kept['appendonly']}, "
        f"appendfsync {kept['appendfsync']}",
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
