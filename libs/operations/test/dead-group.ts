// A group with dead letters on any broker, and what it receives afterwards. For specs.
import { Mq, newMessageId, type BrokerAdmin, type BrokerPorts, type Delivery, type RetryState } from '@millrace/core';

export class DeadGroup {
  readonly topic = `orders-${newMessageId()}`;
  readonly group = 'billing';
  private readonly mq: Mq;
  private consumers = 0;

  constructor(readonly ports: BrokerPorts) {
    this.mq = new Mq(ports);
  }

  get admin(): BrokerAdmin {
    return this.ports.admin;
  }

  /** Sends so many messages and lets them all die. Their ids. */
  async die(count: number, state: Partial<RetryState> = {}): Promise<string[]> {
    const batch = Array.from({ length: count }, (_, n) => ({ destination: this.topic, body: { n } }));
    await this.mq.producer.sendAll(batch);
    return this.bury(await this.receive(count), state);
  }

  async bury(deliveries: readonly Delivery[], state: Partial<RetryState> = {}): Promise<string[]> {
    await this.ports.broker.settle(
      deliveries.map((delivery) => ({
        delivery,
        settlement: { type: 'dead-letter', reason: 'rejected', state: { ...delivery.state, ...state } },
      })),
    );
    return deliveries.map(({ message }) => message.messageId);
  }

  /** What is ready for a group now, up to so many. */
  async receive(count: number, group = this.group): Promise<Delivery[]> {
    const { broker } = this.ports;
    const consumer = `consumer-${++this.consumers}`;
    const about = { topic: this.topic, mode: 'concurrent', leaseMs: 30_000, startFrom: 'first' } as const;
    const subscription = await broker.subscribe({ ...about, group, consumer });
    const received: Delivery[] = [];
    for (let empty = 0; received.length < count && empty < 2;) {
      const some = await broker.receive(subscription, 0, { max: 500, waitMs: 0 });
      received.push(...some);
      if (some.length === 0) empty++;
    }
    return received;
  }

  async dead(): Promise<number> {
    return (await this.admin.countDeadLetters(this.topic, this.group)).total;
  }

  close(): Promise<void> {
    return this.mq.close();
  }
}
