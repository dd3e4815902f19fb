// Everything one scenario needs: servers, proxies, processes, the nemesis; opened as it goes, closed whatever happens.
import { setMaxListeners } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import {
  decodeMessage,
  toMs,
  type BrokerAdmin,
  type DeadLetter,
  type Duration,
  type TopicOptions,
  type TopicStats,
} from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import {
  startRedis,
  startRedisCluster,
  startSentinel,
  type RedisCluster,
  type RedisClusterOptions,
  type RedisServer,
  type SentinelOptions,
  type SentinelSet,
} from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { unfinished } from '../checker/conservation.js';
import type { GroupRules, Rules } from '../checker/rules.js';
import { startSqlServer, type SqlServer } from '../database/sql-server.js';
import { EFFECTS, type SqlKind } from '../database/tables.js';
import { HistoryFile, historyPath } from '../history/history-file.js';
import type { EffectRow } from '../member/database.js';
import type { ListeningConfig, MemberConfig, SendingConfig, ServerAddress } from '../member/member-config.js';
import { isPayload } from '../member/payload.js';
import { Prng } from '../prng.js';
import { MemberProcess } from './member-process.js';
import { carryOut, describePlan, makePlan, type PlanOptions } from './nemesis.js';

const LOOK_EVERY_MS = 100;
const DEAD_LETTER_PAGE = 500;

export interface StageOptions {
  readonly id: string;
  readonly seed: number;
  /** How long traffic and faults go on. */
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export class Stage {
  readonly prng: Prng;
  readonly namespace = 'fault';
  readonly folder: string;
  /** Faults that struck. */
  faults = 0;
  /** What the checker judges by; the scenario completes it. */
  rules: Rules = { groups: [] };
  /** What the scenario itself found wrong. */
  readonly problems: string[] = [];
  /** Figures of the scenario, for the report. */
  readonly figures: Record<string, number | string> = {};
  /** Statistics at the end, one for each topic. */
  readonly stats: TopicStats[] = [];
  /** Time from the last fault to an empty backlog. */
  drainedMs: number | undefined;
  topics: TopicOptions[] = [{ topic: 'orders' }];
  sendTimeout: Duration = '5s';
  /** The counters do not survive what the scenario does to the server: no conservation law to check. */
  countersAreLost = false;
  readonly members = new Set<MemberProcess>();
  readonly history: HistoryFile;
  redisArguments: string[] = [];
  private server: RedisServer | undefined;
  private address: ServerAddress | undefined;
  private database: SqlServer | undefined;
  private readonly closers: (() => unknown)[] = [];
  private processes = 1;
  private producers = 0;
  private isFinishing = false;
  /** Supervised processes that had to be replaced. */
  restarts = 0;
  private admin: BrokerAdmin | undefined;
  private client: Redis | undefined;

  constructor(readonly options: StageOptions) {
    setMaxListeners(0, options.signal);
    this.prng = new Prng(options.seed, options.id);
    this.folder = mkdtempSync(join(tmpdir(), `millrace-fault-${options.id}-`));
    this.closers.push(() => rmSync(this.folder, { recursive: true, force: true }));
    mkdirSync(join(this.folder, 'history'));
    this.history = new HistoryFile(historyPath(this.historyFolder, 0));
    this.closers.push(() => this.history.close());
  }

  get historyFolder(): string {
    return join(this.folder, 'history');
  }

  get forMs(): number {
    return this.options.seconds * 1000;
  }

  get redis(): RedisServer {
    if (!this.server) throw new Error('this scenario has started no Redis');
    return this.server;
  }

  /** What members connect to, unless a proxy stands before it. */
  private get connection(): ServerAddress {
    if (this.address === undefined) throw new Error('this scenario has started no Redis');
    return this.address;
  }

  /** Past every proxy, for whoever looks on. */
  get direct(): Redis {
    return (this.client ??= this.open());
  }

  say(text: string): void {
    this.options.say(text);
  }

  async startRedis(...args: string[]): Promise<RedisServer> {
    this.server = await startRedis({ args });
    this.address = this.server.url;
    this.closers.push(() => this.server!.stop());
    return this.server;
  }

  async startSentinel(options: SentinelOptions): Promise<SentinelSet> {
    const set = await startSentinel(options);
    this.closers.push(() => set.stop());
    this.address = { sentinels: [...set.sentinels], name: set.name };
    return set;
  }

  async startCluster(options: RedisClusterOptions): Promise<RedisCluster> {
    const cluster = await startRedisCluster(options);
    this.closers.push(() => cluster.stop());
    this.address = { nodes: [...cluster.addresses] };
    return cluster;
  }

  async startSql(kind: SqlKind = 'postgres'): Promise<void> {
    this.database = await startSqlServer(kind);
    this.closers.push(() => this.database!.stop());
    await this.sql(EFFECTS(kind));
  }

  async proxy(): Promise<TcpProxy> {
    const proxy = await startTcpProxy({ port: this.redis.port });
    this.closers.push(() => proxy.close());
    return proxy;
  }

  /** @param via a proxy that stands between it and Redis */
  async consumer(name: string, listening: readonly ListeningConfig[], via?: TcpProxy): Promise<MemberProcess> {
    const member = this.spawn(
      name,
      { listening },
      via,
      listening.some(({ inbox }) => inbox),
    );
    return member.ready();
  }

  /** Takes messages into its hands and dies with them, before any handler: its leases are there to be taken over. */
  async victim(name: string, listening: readonly ListeningConfig[], via?: TcpProxy): Promise<void> {
    const member = this.spawn(name, { listening, diesAt: 'after-receive' }, via, false);
    member.doom();
    await Promise.race([member.gone, this.wait(10_000)]);
    await member.kill();
  }

  async producer(
    name: string,
    sending: Omit<SendingConfig, 'producer' | 'seed' | 'topic' | 'deadlineMs'> & Partial<SendingConfig>,
    via?: TcpProxy,
  ): Promise<MemberProcess> {
    const producer = sending.producer ?? this.producers++;
    const deadlineMs = toMs('sendTimeout', this.sendTimeout);
    const complete: SendingConfig = { topic: 'orders', seed: this.options.seed, deadlineMs, ...sending, producer };
    return this.spawn(name, { sending: complete }, via, sending.outbox || sending.business !== undefined).ready();
  }

  relay(name: string): Promise<MemberProcess> {
    return this.spawn(name, { relaying: true }, undefined, true).ready();
  }

  /** Starts another one in its place whenever it dies, until the run is over. */
  supervise(member: MemberProcess): void {
    member.doom();
    void member.gone.then(async () => {
      if (this.isFinishing) return;
      this.restarts++;
      this.supervise(await this.again(member));
    });
  }

  onClose(close: () => unknown): void {
    this.closers.push(close);
  }

  makeFolder(folder: string): void {
    mkdirSync(folder, { recursive: true });
  }

  /** Kills nothing: starts another one like it, as a supervisor would after a crash. */
  async again(member: MemberProcess, changes: Partial<SendingConfig> = {}): Promise<MemberProcess> {
    const { config } = member;
    const { sending } = config;
    const producer = sending?.isShared ? sending.producer : this.producers;
    if (sending && !sending.isShared) this.producers++;
    const next: MemberConfig = {
      ...config,
      process: this.processes++,
      sending: sending && { ...sending, ...changes, producer },
    };
    return this.register(next).ready();
  }

  /** Draws a plan, tells it, and carries it out. */
  async nemesis(options: PlanOptions): Promise<void> {
    const plan = makePlan(this.prng, options);
    this.say(`plan: ${describePlan(plan)}`);
    this.faults += await carryOut(plan, this.options.signal);
  }

  async wait(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.options.signal });
  }

  async until(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<boolean> {
    const giveUpAt = performance.now() + timeoutMs;
    while (!(await condition())) {
      if (performance.now() > giveUpAt) {
        this.problems.push(`not within ${timeoutMs / 1000} s: ${what}`);
        return false;
      }
      await this.wait(LOOK_EVERY_MS);
    }
    return true;
  }

  /** Producers stop and hear their answers; the backlog drains; consumers stop. What does not happen in time is a problem. */
  async finish({ drainWithinMs = 30_000 }: { drainWithinMs?: number } = {}): Promise<void> {
    const healedAt = performance.now();
    await this.stopProducers();
    const drained = await this.until('the backlog drains', drainWithinMs, async () => (await this.backlog()) === 0);
    this.isFinishing = true;
    if (drained) this.drainedMs = Math.round(performance.now() - healedAt);
    await this.stopAll([...this.members]);
    for (const { topic } of this.topics) this.stats.push(await this.ports().stats(topic));
    await this.noteDeadLetters();
    if (this.database) await this.noteEffects();
  }

  /** Until every send has its answer. */
  async stopProducers(): Promise<void> {
    await this.stopAll([...this.members].filter(({ config }) => config.sending));
  }

  async backlog(): Promise<number> {
    const each = await Promise.all(
      this.topics.map(({ topic }) =>
        this.ports()
          .stats(topic)
          .catch(() => undefined),
      ),
    );
    return each.reduce((sum, stats) => sum + (stats ? unfinished(stats) : 1), 0);
  }

  ports(): BrokerAdmin {
    if (this.admin) return this.admin;
    const ports = connectRedis({ connection: this.connection, namespace: this.namespace, sendTimeout: '5s' });
    this.closers.push(() => ports.broker.close());
    return (this.admin = ports.admin);
  }

  sql<T extends object>(text: string): Promise<T[]> {
    return this.database!.query<T>(text);
  }

  async close(): Promise<void> {
    this.isFinishing = true;
    // Thawed first: a frozen process does die by SIGKILL, but its neighbours may be waiting for it.
    await Promise.all([...this.members].map((member) => member.kill()));
    for (const close of this.closers.toReversed()) {
      try {
        await close();
      } catch (error) {
        this.problems.push(`clean-up: ${String(error)}`);
      }
    }
  }

  groups(listening: readonly ListeningConfig[]): GroupRules[] {
    return listening.map(({ group, mode, inbox, maxAttempts, backoffMs }) => ({
      name: group,
      ordered: mode === 'ordered',
      inbox,
      maxAttempts,
      backoffMs,
    }));
  }

  private spawn(
    name: string,
    what: Pick<MemberConfig, 'sending' | 'listening' | 'relaying' | 'diesAt'>,
    via: TcpProxy | undefined,
    needsDatabase = false,
  ): MemberProcess {
    return this.register({
      process: this.processes++,
      name,
      folder: this.historyFolder,
      connection: via ? `redis://${via.host}:${via.port}` : this.connection,
      databaseUrl: needsDatabase ? this.database!.url : undefined,
      namespace: this.namespace,
      sendTimeout: this.sendTimeout,
      topics: this.topics,
      ...what,
    });
  }

  private register(config: MemberConfig): MemberProcess {
    const member: MemberProcess = new MemberProcess(config, () => {
      this.members.delete(member);
      this.history.note('died', { run: config.process });
      if (member.unexpectedEnd) this.problems.push(member.unexpectedEnd);
    });
    this.members.add(member);
    return member;
  }

  private async stopAll(members: readonly MemberProcess[]): Promise<void> {
    await Promise.all(
      members.map(async (member) => {
        const report = await member.stop();
        if (!report) this.problems.push(`${member.name} did not stop in good order`);
        const { unsettled, errors } = report ?? { unsettled: 0, errors: {} };
        if (unsettled > 0) this.problems.push(`${member.name}: ${unsettled} promises stayed unsettled`);
        for (const [code, count] of Object.entries(errors))
          this.figures[code] = Number(this.figures[code] ?? 0) + count;
      }),
    );
  }

  private async noteDeadLetters(): Promise<void> {
    for (const { topic, groups } of this.stats) {
      for (const { group } of groups) {
        for (let offset = 0; ; offset += DEAD_LETTER_PAGE) {
          const page = await this.ports().deadLetters(topic, group, { offset, limit: DEAD_LETTER_PAGE });
          for (const letter of page) this.noteDeadLetter(letter);
          if (page.length < DEAD_LETTER_PAGE) break;
        }
      }
    }
  }

  private noteDeadLetter({ topic, group, reason, message, messageId }: DeadLetter): void {
    this.figures[`dead: ${reason}`] = Number(this.figures[`dead: ${reason}`] ?? 0) + 1;
    if (reason === 'undecodable') return;
    const { body } = decodeMessage(topic, message);
    if (!isPayload(body)) return void this.problems.push(`a dead letter of ${group} is not of this run: ${messageId}`);
    const number = this.rules.groups.findIndex(({ name }) => name === group);
    this.history.note('dead', { producer: body.p, n: body.n, key: body.k, group: number, id: crc32(messageId) });
  }

  private async noteEffects(): Promise<void> {
    const rows = await this.sql<EffectRow>(
      'select consumer_group, producer, n, key_no, fence from effects order by at',
    );
    for (const { consumer_group: group, producer, n, key_no, fence } of rows)
      this.history.note('effect', { producer, n, group, key: Number(key_no), fence: Number(fence) });
  }

  private open(): Redis {
    const client = new Redis(this.redis.url, { protocol: 2, maxRetriesPerRequest: null, retryStrategy: () => 50 });
    client.on('error', () => undefined); // losing the server is the point of these runs
    this.closers.push(() => client.disconnect());
    return client;
  }
}
