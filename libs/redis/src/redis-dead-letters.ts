// The dead letters of a group on Redis: list, count, read, edit, redrive, purge. Every script call is bounded.
import {
  BrokerRefusedError,
  countPages,
  deadLetterCursor,
  deadLetterQuery,
  editedLetter,
  matchesFilter,
  topicSpec,
  type DeadLetter,
  type DeadLetterAdmin,
  type DeadLetterChange,
  type DeadLetterCount,
  type DeadLetterFilter,
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterSummary,
} from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import type { Connections } from './connections.js';
import { decodeLetter } from './dead-letter-codec.js';
import { deadLetterPages } from './dead-letter-pages.js';
import type { DeclaredGroups } from './declared-groups.js';
import type { ShardKeys } from './keys.js';
import { Redrive } from './redrive.js';
import { decodeCarried, encodeState, type Carried } from './retry-field.js';
import type { ScriptArgument } from './scripts.js';
import type { KnownTopic, Topics } from './topics.js';

/** A purge frees what it removes at once: so many bodies of 4 MiB are some ms. */
const NAMES_PER_CALL = 100;
/** Bodies are read a few at a time: each may have 4 MiB. */
const READS_AT_ONCE = 8;
const EDIT_TRIES = 10;
/** Where the state is among what is packed. */
const STATE_AT = 7;

interface FoundLetter {
  readonly letter: DeadLetter;
  readonly keys: ShardKeys;
  readonly revision: string;
  /** What travels with the state and is no business of an edit. */
  readonly carried: Carried;
}

export class RedisDeadLetters implements DeadLetterAdmin {
  constructor(
    protected readonly connections: Connections,
    protected readonly caller: Caller,
    protected readonly topics: Topics,
    protected readonly groups: DeclaredGroups,
  ) {}

  async now(): Promise<number> {
    if (this.connections.virtual) return this.connections.virtual.now();
    const [seconds, micros] = await this.connections.command().time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  async deadLetters(
    topic: string,
    group: string,
    { offset, limit }: { offset: number; limit: number },
  ): Promise<DeadLetter[]> {
    const found: DeadLetterSummary[] = [];
    let cursor: string | undefined;
    do {
      const want = Math.min(offset + limit - found.length, 1000);
      if (want <= 0) break;
      const page = await this.listDeadLetters(topic, group, { cursor, limit: want });
      found.push(...page.letters);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return this.withBodies(topic, group, found.slice(offset, offset + limit));
  }

  async listDeadLetters(topic: string, group: string, query: DeadLetterQuery = {}): Promise<DeadLetterPage> {
    const { shards } = await this.known(topic);
    const { filter, order, limit, positions } = deadLetterQuery(query, shards.length);
    const pages = deadLetterPages(this.caller, shards, group, { filter, order, positions });
    const letters: DeadLetterSummary[] = [];
    await pages.each((letter) => {
      if (matchesFilter(letter, filter)) letters.push(letter);
      return letters.length < limit;
    });
    return { letters, cursor: deadLetterCursor(order, pages.positions) };
  }

  countDeadLetters(topic: string, group: string, filter?: DeadLetterFilter): Promise<DeadLetterCount> {
    return countPages((query) => this.listDeadLetters(topic, group, query), filter);
  }

  async deadLetter(topic: string, group: string, name: string): Promise<DeadLetter | undefined> {
    return (await this.find(topic, group, name))?.letter;
  }

  async editDeadLetter(
    topic: string,
    group: string,
    name: string,
    change: DeadLetterChange,
  ): Promise<DeadLetter | undefined> {
    for (let left = EDIT_TRIES; left > 0; left--) {
      const found = await this.find(topic, group, name);
      if (!found) return undefined;
      const { keys, letter, revision, carried } = found;
      const { message, state } = editedLetter(letter, change, await this.now());
      const args = [
        name,
        revision,
        message.tag,
        message.meta,
        message.body,
        encodeState(state, { fence: carried.fence, readyAt: carried.ready }),
      ];
      const answer = await this.final('edit-dead-letter', keys, [keys.group(group).deadLetters], args);
      if (answer === 'GONE') return undefined;
      if (answer === 'EDITED') return { ...letter, tag: message.tag === '' ? undefined : message.tag, message, state };
    }
    throw new BrokerRefusedError(`dead letter ${name} is edited by others all the time; ask again`, 'MQ_UNAVAILABLE');
  }

  async redrive(topic: string, group: string, which: Parameters<DeadLetterAdmin['redrive']>[2]): Promise<string[]> {
    const redrive = new Redrive(this.connections, this.caller, this.groups);
    // Whatever dies again while the oldest are redriven is not one of them.
    const bound = 'max' in which && !which.diedUntil ? { diedUntil: new Date(await this.now()) } : {};
    return redrive.run(await this.known(topic), group, { ...which, ...bound });
  }

  async purgeDeadLetters(
    topic: string,
    group: string,
    names: readonly string[],
    { diedUntil }: { diedUntil?: Date } = {},
  ): Promise<number> {
    const { shards } = await this.known(topic);
    let purged = 0;
    for (const keys of shards) {
      const { dead, deadLetters, untold } = keys.group(group);
      for (let at = 0; at < names.length; at += NAMES_PER_CALL) {
        const args = [group, diedUntil?.getTime() ?? '', ...names.slice(at, at + NAMES_PER_CALL)];
        purged += Number(await this.final('purge-dead-letters', keys, [keys.meta, dead, deadLetters, untold], args));
      }
    }
    return purged;
  }

  /** The topic, read from the server when this process has not used it yet. */
  protected known(topic: string): Promise<KnownTopic> {
    return this.topics.look(topicSpec({ topic }, false));
  }

  /** A name does not say which shard it lies in. */
  private async find(topic: string, group: string, name: string): Promise<FoundLetter | undefined> {
    const { shards } = await this.known(topic);
    for (const keys of shards) {
      const reply = await this.caller.run('read-dead-letter', [keys.group(group).deadLetters], [name], 'buffer');
      if (!Array.isArray(reply)) continue;
      const [revision, ...packed] = reply as Buffer[];
      const carried = decodeCarried(packed[STATE_AT]!.toString());
      const letter = decodeLetter(topic, group, name, packed);
      return { keys, revision: revision!.toString('latin1'), letter, carried };
    }
    return undefined;
  }

  private async withBodies(topic: string, group: string, letters: readonly DeadLetterSummary[]): Promise<DeadLetter[]> {
    const whole: DeadLetter[] = [];
    for (let at = 0; at < letters.length; at += READS_AT_ONCE) {
      const some = letters.slice(at, at + READS_AT_ONCE);
      const read = await Promise.all(some.map(({ name }) => this.deadLetter(topic, group, name)));
      // One that went since it was listed is no dead letter any more.
      whole.push(...read.filter((letter) => letter !== undefined));
    }
    return whole;
  }

  private async final(
    name: 'edit-dead-letter' | 'purge-dead-letters',
    keys: ShardKeys,
    names: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<string> {
    try {
      return await this.caller.freeze(name, (slot) => keys.slot(slot), names, args);
    } catch (error) {
      if (error instanceof UnknownFate)
        throw new BrokerRefusedError(`whether ${name} took effect is not known`, 'MQ_UNAVAILABLE', error.cause);
      throw error;
    }
  }
}
