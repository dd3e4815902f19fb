// Processes with one recurring message (cron-member.ts) that are moved second by second, and somebody who counts what was
// stored for each tick.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { decodeMessage, topicSpec, type Subscription } from '@millrace/core';
import { connectVirtualRedis, type VirtualRedis } from '@millrace/testing';
import type { FromMember, KillPoint, ToMember } from './cron-member.js';

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/cron-member.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;
const TOPIC = 'reports';
const SECOND = 1000;

export class CronMember {
  private readonly gone: Promise<unknown>;
  private rested = (): void => undefined;

  /** @param second which one of the test its time stands at */
  constructor(
    private readonly child: ChildProcess,
    private second: number,
    onTick: (tick: string) => void,
  ) {
    this.gone = once(child, 'exit');
    child.on('message', (message: FromMember) => ('tick' in message ? onTick(message.tick) : this.rested()));
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it has done all that there is to do until then, or is dead. */
  async advanceTo(second: number): Promise<void> {
    if (!this.isAlive || second <= this.second) return;
    this.tell({ advance: (second - this.second) * SECOND });
    this.second = second;
    await this.rest();
  }

  rest(): Promise<unknown> {
    return Promise.race([new Promise<void>((resolve) => (this.rested = resolve)), this.gone]);
  }

  /** The next time it comes to this point, it kills itself there. */
  dieAt(point: KillPoint): void {
    this.tell({ dieAt: point });
  }

  /** SIGKILL, at whatever it is doing. */
  kill(): Promise<unknown> {
    this.child.kill('SIGKILL');
    return this.gone;
  }

  private tell(message: ToMember): void {
    // Whether it has died meanwhile is known from elsewhere.
    this.child.send(message, () => undefined);
  }
}

export class CronCrew {
  /** Ticks in the order in which they were handled, duplicates included. */
  readonly handled: string[] = [];
  private readonly redis: VirtualRedis;
  private readonly members: CronMember[] = [];
  private auditor: Subscription | undefined;
  private second = 0;

  constructor(namespace: string) {
    // It tends no schedule: three processes are three.
    this.redis = connectVirtualRedis({ connection: process.env.REDIS_URL!, namespace });
  }

  /** The instant of this second of the test. */
  instant(second: number): string {
    return new Date(this.redis.clock.now() + second * SECOND).toISOString();
  }

  /** Somebody is given a copy of every message that is stored from now on. */
  async open(): Promise<void> {
    await this.redis.broker.declareTopic(topicSpec({ topic: TOPIC }));
    this.auditor = await this.redis.broker.subscribe({
      topic: TOPIC,
      group: 'auditor',
      mode: 'concurrent',
      consumer: 'auditor',
      leaseMs: 30_000,
      startFrom: 'first',
    });
  }

  /** Resolves when its schedule is stored and it consumes. */
  async start(): Promise<CronMember> {
    const now = String(Date.parse(this.instant(this.second)));
    const args = ['--import', LEAVE_WITH_PARENT, PROGRAM, this.redis.namespace, now];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const member = new CronMember(child, this.second, (tick) => this.handled.push(tick));
    this.members.push(member);
    await member.rest();
    if (!member.isAlive) throw new Error('a process with a recurring message did not start');
    return member;
  }

  /** All of them at once, and each waits for the others after every second. */
  async advanceTo(second: number): Promise<void> {
    while (this.second < second) await this.step();
  }

  /** One more second. */
  async step(): Promise<void> {
    this.second++;
    await Promise.all(this.members.map((member) => member.advanceTo(this.second)));
  }

  /** Goes ahead of the others until it is dead, for a minute at most; then they follow. */
  async advanceAlone(member: CronMember): Promise<void> {
    let { second } = this;
    for (; member.isAlive && second < this.second + 60; second++) await member.advanceTo(second + 1);
    await this.advanceTo(second);
  }

  /** Ids of the messages that were stored for each tick, by its instant. Each message is given out once. */
  async stored(): Promise<Map<string, string[]>> {
    const stored = new Map<string, string[]>();
    for (let empty = 0; empty < 2;) {
      const found = await this.redis.broker.receive(this.auditor!, 0, { max: 100, waitMs: 0 });
      for (const { message } of found) {
        const tick = decodeMessage(TOPIC, message).headers['mq-tick']!;
        stored.set(tick, [...(stored.get(tick) ?? []), message.messageId]);
      }
      empty = found.length === 0 ? empty + 1 : 0;
    }
    return stored;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.filter(({ isAlive }) => isAlive).map((member) => member.kill()));
    await this.redis.broker.close();
    await this.redis.removeAll();
  }
}
