#!/usr/bin/env bash
# BullMQ on the empty Redis at REDIS_URL: ./run.sh [--tasks N] [--processes N] [--concurrency N]
set -euo pipefail
. "$(dirname "$0")/../npm.sh"
[ "${1:-}" = --install ] || exec timeout 120 node bullmq.mjs "$@"
