// Tells subscribers how a delivery ended. Payloads are built only when somebody listens.
import type { MqEvents } from '../events.js';
import type { Settlement } from './delivery.js';
import type { HeldDelivery } from './held-delivery.js';

/** The settlement took effect. */
export function announce(events: MqEvents, held: HeldDelivery, settlement: Settlement): void {
  const { result } = held;
  const error = result?.type === 'threw' ? result.error : undefined;
  switch (settlement.type) {
    case 'ack':
      if (settlement.skipped) announceState(events, 'skipped', held);
      else if (settlement.expired) announceState(events, 'expired', held);
      else if (settlement.duplicate) {
        if (events.wants('duplicate')) events.emit('duplicate', { ...named(held), ...settlement.duplicate });
      } else if (events.wants('done')) events.emit('done', { ...named(held), durationMs: result?.durationMs ?? 0 });
      return;
    case 'retry':
      if (!events.wants('retry')) return;
      events.emit('retry', {
        ...named(held),
        delayMs: settlement.delayMs,
        failure: settlement.state.failures.at(-1)!,
        error,
      });
      return;
    case 'dead-letter':
      if (!events.wants('dead-letter')) return;
      events.emit('dead-letter', { ...named(held), reason: settlement.reason, text: settlement.text, error });
      return;
    case 'park': {
      const { orderingKey } = held.delivery.message;
      const { reason, text } = settlement;
      if (events.wants('key-parked')) events.emit('key-parked', { ...named(held), orderingKey, reason, text, error });
      return;
    }
    case 'follow':
      return;
    case 'release':
      announceState(events, 'released', held);
  }
}

export function announceState(
  events: MqEvents,
  event: 'skipped' | 'expired' | 'lease-lost' | 'released',
  held: HeldDelivery,
): void {
  if (events.wants(event)) events.emit(event, named(held));
}

export interface DeliveryName {
  readonly topic: string;
  readonly group: string;
  readonly messageId: string;
  readonly attempt: number;
}

export function named({ delivery }: Pick<HeldDelivery, 'delivery'>): DeliveryName {
  const { topic, group, message, state } = delivery;
  return { topic, group, messageId: message.messageId, attempt: state.attempt };
}
