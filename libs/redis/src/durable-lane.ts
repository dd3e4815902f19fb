// Calls whose writes must be proven: a group commit on a connection of its own, because WAIT and WAITAOF cover only what
// their own connection has written. All calls that wait go out together, and one proof follows for all of them.
import type { DurabilityLevel } from '@millrace/core';
import type { Redis } from 'ioredis';
import type { Connections } from './connections.js';
import { proofOf, type Proof } from './durability-proof.js';
import { runScript, type ScriptArgument, type ScriptName } from './scripts.js';
import { isElsewhere } from './server-error.js';

interface Call {
  readonly name: ScriptName;
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Link {
  readonly client: Redis;
  /** How the level is proven on this server; asked anew with each connection, which may lead to another server. */
  readonly proof: Proof;
}

/** Calls of one commit: bounds the time between the first write and the proof. */
const MAX_CALLS = 64;

export class DurableLane {
  private waiting: Call[] = [];
  private committing = false;
  private link: Link | undefined;

  /** @param routingKey any key of the node @param waitMs how long one proof may take */
  constructor(
    private readonly connections: Connections,
    private readonly routingKey: string,
    private readonly level: DurabilityLevel,
    private readonly waitMs: number,
  ) {}

  /**
   * Runs a script and proves what it wrote. Rejects with the server's error, BrokerRefusedError `MQ_DURABILITY` when the
   * server has no means of proof (nothing was stored), or another error when it may have been stored without proof: the
   * same call may then be made again, for a frozen call writes its answer anew each time.
   */
  run(name: ScriptName, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ name, keys, args, resolve, reject });
      if (!this.committing) void this.commitAll();
    });
  }

  private async commitAll(): Promise<void> {
    this.committing = true;
    while (this.waiting.length > 0) {
      const calls = this.waiting.splice(0, MAX_CALLS);
      try {
        await this.commit(calls, await this.connected());
      } catch (error) {
        await this.leave();
        for (const call of calls) call.reject(error);
      }
    }
    this.committing = false;
  }

  private async commit(calls: readonly Call[], { client, proof }: Link): Promise<void> {
    // A socket that breaks between write and proof proves nothing: the new one has written nothing.
    let isBroken = false;
    const broke = (): void => void (isBroken = true);
    client.once('close', broke);
    try {
      const answers = await Promise.allSettled(
        calls.map(({ name, keys, args }) => runScript(client, name, keys, args)),
      );
      const stored = answers.some(({ status }) => status === 'fulfilled');
      const shortfall = stored ? await proof.shortfall(client) : undefined;
      const problem = isBroken ? 'the connection broke before the proof' : shortfall;
      if (isBroken || answers.some((answer) => answer.status === 'rejected' && isElsewhere(answer.reason)))
        await this.leave();
      calls.forEach(({ resolve, reject }, index) => {
        const answer = answers[index]!;
        if (answer.status === 'rejected') reject(answer.reason);
        else if (problem === undefined) resolve(answer.value);
        else reject(new Error(problem));
      });
    } finally {
      client.off('close', broke);
    }
  }

  private async connected(): Promise<Link> {
    if (this.link) return this.link;
    const client = await this.connections.dedicated(this.routingKey, 'durable');
    try {
      const proof = await proofOf(this.level, client, this.waitMs);
      this.link = { client, proof };
      return this.link;
    } catch (error) {
      await this.connections.drop(client);
      throw error;
    }
  }

  /** The next commit connects anew, and asks the server again what it can prove. */
  private async leave(): Promise<void> {
    const { link } = this;
    this.link = undefined;
    if (link) await this.connections.drop(link.client);
  }
}
