import type { Message } from '../message/message.js';
import { FIRST_DELIVERY, type Delivery } from './delivery.js';
import { DeliveryContext } from './delivery-context.js';

const create = (): DeliveryContext => {
  const state = { ...FIRST_DELIVERY, attempt: 4, crashes: 1, generation: 2 };
  return new DeliveryContext(
    { messageId: 'm-1', topic: 'orders' } as Message,
    { topic: 'orders', group: 'billing', state } as Delivery,
  );
};

describe('context of a delivery', () => {
  it('shows what is known of the delivery', () => {
    expect(create()).toMatchObject({ topic: 'orders', group: 'billing', messageId: 'm-1', attempt: 4 });
    expect(create()).toMatchObject({ crashes: 1, generation: 2, failures: [] });
  });

  it('has one signal, which aborts with the first reason', () => {
    const context = create();
    const { signal } = context;
    context.abort(new Error('first'));
    context.abort(new Error('second'));
    expect(context.signal).toBe(signal);
    expect(signal.reason).toEqual(new Error('first'));
  });

  it('has an aborted signal also when it is asked for after the abort', () => {
    const context = create();
    context.abort(new Error('late'));
    expect(context.signal.aborted).toBe(true);
    expect(context.signal.reason).toEqual(new Error('late'));
  });

  it('has one store, for middleware to leave things in', () => {
    const context = create();
    context.store.set('tx', 1);
    expect(context.store.get('tx')).toBe(1);
  });
});
