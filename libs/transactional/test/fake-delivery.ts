// Hands messages to the inbox as a consumer would, with the least of a context.
import { newMessageId, type Message, type MqContext } from '@millrace/core';

export interface FakeMessage {
  messageId?: string;
  topic?: string;
  group?: string;
  idempotencyKey?: string;
  orderingKey?: string;
  generation?: number;
}

export function deliveryOf(given: FakeMessage = {}): MqContext {
  const { messageId = newMessageId(), topic = 'orders', group = 'billing', generation = 0, ...keys } = given;
  const message: Message = { messageId, topic, ...keys, keys: [], headers: {}, bornAt: new Date(), body: null };
  return {
    message,
    topic,
    group,
    messageId,
    attempt: 1,
    crashes: 0,
    generation,
    fence: 1,
    failures: [],
    signal: new AbortController().signal,
    store: new Map(),
  };
}
