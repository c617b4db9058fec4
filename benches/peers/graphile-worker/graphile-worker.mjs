// graphile-worker as its own perfTest runs it; --batched is its local queue and its batched completion.

import { Logger, makeWorkerUtils, run, runOnce } from "graphile-worker";
import pg from "pg";

import { Workers, address, latencies, options, print, toldToGo, until, versionOf } from "./measure.mjs";

const CONCURRENCY = 24;
/** Tasks that are submitted in one call. */
const CHUNK = 10_000;

const { tasks, batched, processes } = options({ batched: { type: "boolean" }, processes: { type: "string" } });
const parallelism = Number(processes ?? 4);
const connectionString = address("DATABASE_URL");

const logger = new Logger(() => (level, message) => level === "error" && console.error(message));
const worker = { concurrentJobs: CONCURRENCY, maxPoolSize: CONCURRENCY + 1, fileExtensions: [".js"], logger };
if (batched) {
  Object.assign(worker, {
    localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  });
}
const taskList = { noop: async () => {} };

function pool(max) {
  const made = new pg.Pool({ connectionString, max });
  const report = (error) => console.error(error.message);
  made.on("error", report);
  made.on("connect", (client) => client.on("error", report));
  return made;
}

async function drainWorker() {
  const pgPool = pool(CONCURRENCY + 1);
  const clients = await Promise.all(Array.from({ length: CONCURRENCY }, () => pgPool.connect()));
  clients.forEach((client) => client.release());
  await toldToGo();
  await runOnce({ preset: { worker }, pgPool, taskList });
  process.send(1);
}

async function drain(client, utils) {
  const specs = Array.from({ length: tasks }, (_, id) => ({ identifier: "noop", payload: { id } }));
  for (let first = 0; first < tasks; first += CHUNK) await utils.addJobs(specs.slice(first, first + CHUNK));
  await client.query("analyze");
  const workers = new Workers(parallelism, "drain");
  await workers.ready;
  const began = performance.now();
  workers.go();
  await until(() => workers.finished === parallelism);
  const left = await client.query("select count(*)::int as count from graphile_worker.jobs");
  const seconds = (performance.now() - began) / 1e3;
  workers.stop();
  if (left.rows[0].count !== 0) throw new Error(`${left.rows[0].count} tasks are left`);
  return seconds;
}

/** A task that is finished is a row that is gone; it is looked for as soon as its handler has run. */
async function latency(client) {
  let ran;
  const pgPool = pool(CONCURRENCY + 1);
  const runner = await run({ preset: { worker }, pgPool, taskList: { noop: async () => ran() } });
  const utils = await makeWorkerUtils({ preset: { worker }, pgPool });
  const gone = { name: "gone", text: "select from graphile_worker.jobs where id = $1" };
  const measured = await latencies(async (id) => {
    const started = new Promise((resolve) => (ran = resolve));
    const job = await utils.addJob("noop", { id });
    await started;
    await until(async () => (await client.query({ ...gone, values: [job.id] })).rowCount === 0, 0);
  });
  runner.promise.catch(() => {});
  return measured;
}

if (process.env.PEER_ROLE === "drain") {
  await drainWorker();
} else {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const utils = await makeWorkerUtils({ preset: { worker }, connectionString });
  await utils.migrate();
  const seconds = await drain(client, utils);
  const measured = await latency(client);
  const shown = await client.query(
    "select current_setting('server_version') v, current_setting('fsync') f, current_setting('synchronous_commit') s",
  );
  const { v, f, s } = shown.rows[0];
  print({
    peer: batched ? "graphile-worker, batched" : "graphile-worker",
    version: versionOf("graphile-worker"),
    tasks,
    seconds,
    latency: measured,
    settings:
      `${parallelism} processes, concurrentJobs ${CONCURRENCY}` +
      (batched ? ", localQueue 500, completeJobBatchDelay 0, failJobBatchDelay 0" : ""),
    server: `PostgreSQL ${v.split(" ")[0]}, fsync ${f}, synchronous_commit ${s}`,
  });
}
