// BullMQ with the concurrency of its own benchmark, a worker process for each core.

import { Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";

import { Workers, address, counter, latencies, options, print, toldToGo, until, versionOf } from "./measure.mjs";

/** Tasks that are submitted in one call. */
const CHUNK = 1_000;

const text = { type: "string" };
const { tasks, ...chosen } = options({ processes: text, concurrency: text });
const processes = Number(chosen.processes ?? 2);
const concurrency = Number(chosen.concurrency ?? 100);
const url = address("REDIS_URL");

const connect = () => new Redis(url, { maxRetriesPerRequest: null });
const noop = async () => 0;

function report(part) {
  part.on("error", (error) => console.error(error));
  return part;
}

async function drainWorker() {
  const worker = report(new Worker("drain", noop, { connection: connect(), concurrency, autorun: false }));
  await worker.waitUntilReady();
  const add = counter();
  worker.on("completed", () => add());
  await toldToGo();
  await worker.run();
}

async function drain() {
  const queue = report(new Queue("drain", { connection: connect() }));
  for (let left = tasks; left > 0; left -= CHUNK) {
    await queue.addBulk(
      Array.from({ length: Math.min(left, CHUNK) }, (_, index) => ({ name: "noop", data: { id: left - index } })),
    );
  }
  const workers = new Workers(processes, "drain");
  await workers.ready;
  const began = performance.now();
  workers.go();
  await until(() => workers.finished >= tasks);
  await until(async () => (await queue.getCompletedCount()) >= tasks);
  const seconds = (performance.now() - began) / 1e3;
  workers.stop();
  return seconds;
}

async function latency() {
  const queue = report(new Queue("latency", { connection: connect() }));
  const events = report(new QueueEvents("latency", { connection: connect() }));
  const worker = report(new Worker("latency", noop, { connection: connect() }));
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  return latencies(async (id) => {
    const job = await queue.add("noop", { id });
    await job.waitUntilFinished(events);
  });
}

async function server() {
  const redis = connect();
  const [, version] = (await redis.info("server")).match(/redis_version:(\S+)/);
  const [, appendonly] = await redis.config("GET", "appendonly");
  const [, appendfsync] = await redis.config("GET", "appendfsync");
  return `Redis ${version}, appendonly ${appendonly}, appendfsync ${appendfsync}`;
}

if (process.env.PEER_ROLE === "drain") {
  await drainWorker();
} else {
  const seconds = await drain();
  print({
    peer: "BullMQ",
    version: versionOf("bullmq"),
    tasks,
    seconds,
    latency: await latency(),
    settings: `${processes} processes, concurrency ${concurrency}; for latency: QueueEvents, concurrency 1`,
    server: await server(),
  });
}
