// What the peers in JavaScript share: arguments, worker processes, waiting, and the one line that is printed.

import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

/** Tasks whose latency counts, after those that warm everything up. */
export const SAMPLES = 300;
export const WARM_UP = 50;

export function options(others = {}) {
  const { values } = parseArgs({ options: { tasks: { type: "string" }, ...others } });
  const tasks = Number(values.tasks ?? 10_000);
  if (!Number.isInteger(tasks) || tasks < 1) throw new Error(`--tasks: \`${values.tasks}\` is no number of tasks`);
  return { ...values, tasks };
}

/** The address of the server, from the environment. */
export function address(name) {
  const url = process.env[name];
  if (!url) throw new Error(`${name} is not set; next: set it to the URL of an empty server`);
  return url;
}

export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
}

/**
 * Worker processes of this same program. Each says "ready" once it is connected, starts on "go" and then says how many
 * tasks it has finished in all.
 */
export class Workers {
  constructor(count, role) {
    this.done = new Array(count).fill(0);
    this.processes = this.done.map((_, index) => {
      const worker = fork(process.argv[1], process.argv.slice(2), { env: { ...process.env, PEER_ROLE: role } });
      worker.on("message", (message) => {
        if (typeof message === "number") this.done[index] = message;
      });
      worker.on("exit", (code) => {
        if (!this.stopping) {
          console.error(`a worker ended with ${code}`);
          process.exit(1);
        }
      });
      return worker;
    });
    this.ready = Promise.all(
      this.processes.map((worker) => new Promise((resolve) => worker.on("message", (text) => text === "ready" && resolve()))),
    );
  }

  go() {
    for (const worker of this.processes) worker.send("go");
  }

  get finished() {
    return this.done.reduce((sum, done) => sum + done, 0);
  }

  stop() {
    this.stopping = true;
    for (const worker of this.processes) worker.kill("SIGKILL");
  }
}

/** In a worker process: says that it is ready, and waits for "go". */
export async function toldToGo() {
  const go = new Promise((resolve) => process.on("message", (text) => text === "go" && resolve()));
  process.send("ready");
  await go;
}

/** In a worker process: counts finished tasks and tells the parent now and then. */
export function counter() {
  let done = 0;
  let told = 0;
  setInterval(() => {
    if (done !== told) process.send((told = done));
  }, 5);
  return (more = 1) => (done += more);
}

export async function until(condition, everyMs = 5) {
  while (!(await condition())) await sleep(everyMs);
}

/** The time in milliseconds that `work` takes, one after the other. */
export async function latencies(work) {
  const samples = [];
  for (let index = 0; index < WARM_UP + SAMPLES; index += 1) {
    const began = performance.now();
    await work(index);
    if (index >= WARM_UP) samples.push(performance.now() - began);
  }
  samples.sort((one, other) => one - other);
  const at = (share) => Number(samples[Math.floor((samples.length - 1) * share)].toFixed(3));
  return { samples: samples.length, p50_ms: at(0.5), p99_ms: at(0.99) };
}

/** The one line. */
export function print({ peer, version, tasks, seconds, latency, settings, server }) {
  const rate = Math.round(tasks / seconds);
  const what = "drain of a preloaded backlog; latency of one task at a time";
  process.stdout.write(`${JSON.stringify({ peer, version, what, tasks, rate, ...latency, settings, server })}\n`, () =>
    process.exit(0),
  );
}
