// The handlers of a member: do some work, fail where they are told to, and write down what they did.
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { HandBack, type Broker, type Handler, type Middleware, type MqContext } from '@millrace/core';
import type { EventKind } from '../history/fault-event.js';
import type { HistoryFile } from '../history/history-file.js';
import { passing } from './death.js';
import type { ListeningConfig } from './member-config.js';
import { isPayload, sumOf, type Payload } from './payload.js';

/** Deliberate failure of a handler. */
export class Refused extends Error {}

let runs = 0;

/** Deaths around what is asked of the broker. */
export function makeMortal(broker: Broker): void {
  const [receive, settle] = [broker.receive.bind(broker), broker.settle.bind(broker)];
  broker.receive = async (...request) => {
    const deliveries = await receive(...request);
    if (deliveries.length > 0) passing('after-receive');
    return deliveries;
  };
  broker.settle = async (items) => {
    passing('before-ack');
    const results = await settle(items);
    passing('after-ack');
    return results;
  };
}

/** The work itself: outside of it everything is told to the history. */
export function handlerOf(
  config: ListeningConfig,
  effect?: (context: MqContext, body: Payload) => Promise<void>,
): Handler {
  return async (context) => {
    const body = context.message.body as Payload;
    passing('before-effect');
    await work(config, body, context);
    await effect?.(context, body);
  };
}

/** Around everything, the inbox too: what it notes as done is committed. */
export function witness({ number }: ListeningConfig, history: HistoryFile): Middleware {
  return async (context, next) => {
    const { message, attempt, crashes, messageId, fence } = context;
    const { body } = message;
    if (!isPayload(body)) throw new Error(`message ${messageId} is not of this run`);
    const run = ++runs;
    const note = (kind: EventKind): void =>
      history.note(kind, {
        producer: body.p,
        n: body.n,
        key: body.k,
        group: number,
        run,
        attempt,
        crashes,
        fence,
        wall: Date.now(),
        sum: sumOf(body),
        id: crc32(messageId),
      });
    note('start');
    try {
      const outcome = await next();
      note(outcome instanceof HandBack ? 'stale' : 'done');
      passing('after-effect');
      return outcome;
    } catch (error) {
      note(context.signal.aborted ? 'stale' : 'failed');
      throw error;
    }
  };
}

async function work(
  config: ListeningConfig,
  body: Payload,
  { attempt, crashes, generation, signal }: MqContext,
): Promise<void> {
  const [least, most] = config.workMs;
  const { slow, sickEvery = 0, failShare = 0 } = config;
  // A number of its own for each message, the same in every process.
  const chance = (crc32(`${body.p}:${body.n}`) % 10_000) / 10_000;
  if (sickEvery > 0 && body.n % sickEvery === 0 && generation === 0) throw new Refused('not before it is redriven');
  if (body.poison === 'throws') throw new Refused('poison');
  if (body.poison === 'crashes') process.kill(process.pid, 'SIGKILL');
  if (body.poison === 'hangs') await new Promise(() => undefined);
  if (slow && body.n % slow.every === 0 && crashes === 0) {
    if (slow.blocks) for (const end = Date.now() + slow.ms; Date.now() < end;);
    else await wait(slow.ms);
  } else if (most > 0) {
    await wait(least + chance * (most - least));
  }
  signal.throwIfAborted();
  if (attempt === 1 && chance < failShare) throw new Refused('the first attempt fails');
}
