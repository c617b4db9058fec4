#!/usr/bin/env bash
# graphile-worker on the empty PostgreSQL at DATABASE_URL: ./run.sh [--tasks N] [--batched] [--processes N]
set -euo pipefail
export NO_LOG_SUCCESS=1 # as perfTest has it
. "$(dirname "$0")/../npm.sh"
[ "${1:-}" = --install ] || exec timeout 120 node graphile-worker.mjs "$@"
