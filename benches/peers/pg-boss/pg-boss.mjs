// pg-boss, one task after the other for each worker; --batched gives a handler many at once, which end together.

import pg from "pg";
import { PgBoss } from "pg-boss";

import { Workers, address, counter, latencies, options, print, toldToGo, until, versionOf } from "./measure.mjs";

const QUEUE = "noop";
/** Tasks that a handler gets at once. */
const BATCH = 500;
/** Tasks that are submitted in one call. */
const CHUNK = 10_000;

const text = { type: "string" };
const { tasks, batched, ...chosen } = options({ batched: { type: "boolean" }, processes: text, workers: text });
const processes = Number(chosen.processes ?? 2);
const workers = Number(chosen.workers ?? (batched ? 4 : 16));
const connectionString = address("DATABASE_URL");

/** One with neither maintenance nor schedules, which a short run does not need. */
async function started(others = {}) {
  const boss = new PgBoss({ connectionString, supervise: false, schedule: false, ...others });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  return boss;
}

async function drainWorker() {
  const boss = await started({ max: workers + 1, migrate: false });
  const add = counter();
  await toldToGo();
  if (batched) {
    const how = { batchSize: BATCH, localConcurrency: workers, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
    await boss.work(QUEUE, how, async (jobs) => void add(jobs.length));
  } else {
    // `work` waits half a second between two tasks at the least, these do not.
    await Promise.all(Array.from({ length: workers }, () => oneByOne(boss, add)));
  }
}

async function oneByOne(boss, add) {
  for (;;) {
    const [job] = await boss.fetch(QUEUE);
    if (!job) return;
    await boss.complete(QUEUE, job.id);
    add();
  }
}

async function drain(boss, client) {
  for (let left = tasks; left > 0; left -= CHUNK) {
    await boss.insert(
      QUEUE,
      Array.from({ length: Math.min(left, CHUNK) }, (_, index) => ({ data: { id: left - index } })),
    );
  }
  await client.query("analyze");
  const pool = new Workers(processes, "drain");
  await pool.ready;
  const began = performance.now();
  pool.go();
  await until(() => pool.finished >= tasks);
  const unfinished = "select from pgboss.job where name = $1 and state < 'completed' limit 1";
  await until(async () => (await client.query(unfinished, [QUEUE])).rowCount === 0);
  const seconds = (performance.now() - began) / 1e3;
  pool.stop();
  return seconds;
}

/** A task's state is looked for as soon as its handler has run. */
async function latency(boss, client) {
  let ran;
  await boss.createQueue("single", { notify: true });
  await boss.work("single", { pollingIntervalSeconds: 0.5 }, async () => ran());
  const completed = { name: "completed", text: "select from pgboss.job where name = 'single' and id = $1 and state = 'completed'" };
  return latencies(async (id) => {
    const handled = new Promise((resolve) => (ran = resolve));
    const job = await boss.send("single", { id });
    await handled;
    await until(async () => (await client.query({ ...completed, values: [job] })).rowCount === 1, 0);
  });
}

if (process.env.PEER_ROLE === "drain") {
  await drainWorker();
} else {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const boss = await started({ useListenNotify: true });
  await boss.createQueue(QUEUE);
  const seconds = await drain(boss, client);
  const measured = await latency(boss, client);
  const shown = await client.query(
    "select current_setting('server_version') v, current_setting('fsync') f, current_setting('synchronous_commit') s",
  );
  const { v, f, s } = shown.rows[0];
  print({
    peer: batched ? "pg-boss, batched" : "pg-boss",
    version: versionOf("pg-boss"),
    tasks,
    seconds,
    latency: measured,
    settings:
      `${processes} processes, ` +
      (batched
        ? `localConcurrency ${workers}, batchSize ${BATCH}, burstWhenBatchFull`
        : `${workers} loops of fetch and complete each`) +
      "; for latency: notify, batchSize 1",
    server: `PostgreSQL ${v.split(" ")[0]}, fsync ${f}, synchronous_commit ${s}`,
  });
}
