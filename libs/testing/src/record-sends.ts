// Notes what a broker was given to store, for tests of senders.
import { decodeMessage, storedMessage, type Broker, type Message } from '@millrace/core';

/** A message as it was sent. */
export interface SentMessage extends Message {
  /** Queue over all shards. */
  readonly queue: number;
  /** When it becomes ready, if it was delayed. */
  readonly dueAt?: Date;
}

/** The same broker, and the messages that it stored since, in the order of sending. */
export function recordSends(broker: Broker): { broker: Broker; sent: readonly SentMessage[] } {
  const sent: SentMessage[] = [];
  const send: Broker['send'] = async (batch) => {
    const results = await broker.send(batch);
    for (const [index, result] of results.entries()) {
      if (!result.ok || result.receipt.duplicate) continue;
      const { queue, dueAt } = result.receipt;
      const message = batch[index]!;
      sent.push({ ...decodeMessage(message.topic, storedMessage(message)), queue, dueAt });
    }
    return results;
  };
  const recording = new Proxy(broker, {
    get(target, name) {
      if (name === 'send') return send;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  return { broker: recording, sent };
}
