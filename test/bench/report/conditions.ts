// What a run's figures depend on: machine, versions, settings. Without it a figure says nothing.
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

const CLIENTS = ['ioredis', 'bullmq', 'redis-smq', '@nats-io/jetstream', 'amqplib', 'pg'];

export interface Conditions {
  /** Day of the run, UTC. */
  readonly date: string;
  readonly machine: string;
  /** Of Node, the servers that ran, and the clients. */
  readonly versions: readonly string[];
  readonly rounds: number;
}

/** @param servers those that ran, with their versions */
export function conditions(servers: readonly string[], rounds: number): Conditions {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: [`Node ${process.version.slice(1)}`, ...servers, ...clientVersions()],
    rounds,
  };
}

function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() || process.arch;
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} cores (${model}) shared by clients and servers, ${gigabytes} GB, ${type()} ${release()}`;
}

/** Pinned exactly, so what is written there is what ran. */
function clientVersions(): string[] {
  const text = readFileSync(join(repositoryRoot(), 'package.json'), 'utf8');
  const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Record<string, string>>;
  return CLIENTS.map((name) => `${name} ${dependencies?.[name] ?? devDependencies?.[name] ?? '?'}`);
}
