// RabbitMQ with a quorum queue: publisher confirms, persistent messages, manual acks.
import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import {
  atPace,
  BODY,
  expectCount,
  expectSoon,
  finished,
  noWork,
  rate,
  type Bench,
  type Contender,
  type Pace,
} from '../scenario.js';
import { onServer } from './peer.js';

const QUEUE = 'bench';
const PREFETCH = 500;
const NAME = 'rabbitmq quorum';
const FLUSHES = 2;

export function rabbitMqSending(bench: Bench, count: number, pace: Pace): Promise<Contender> {
  return onServer(bench, NAME, 'rabbitMq', async ({ url }) => {
    const rabbit = await Rabbit.open(url);
    const content = Buffer.from(JSON.stringify(BODY));
    return {
      prepare: () => rabbit.empty(),
      async run() {
        const started = performance.now();
        await rabbit.send(content, count, pace);
        const perSecond = rate(count, started);
        await expectSoon('messages ready', count, () => rabbit.ready());
        return perSecond;
      },
      close: () => rabbit.close(),
    };
  });
}

export function rabbitMqConsuming(bench: Bench, count: number): Promise<Contender> {
  return onServer(bench, NAME, 'rabbitMq', async ({ url, settings }) => {
    const rabbit = await Rabbit.open(url);
    const content = Buffer.from(JSON.stringify(BODY));
    return {
      settings: `${settings}; prefetch ${PREFETCH}`,
      async prepare() {
        await rabbit.empty();
        await rabbit.send(content, count, { inFlight: 1000 });
      },
      run: () => rabbit.consume(count, (bytes) => noWork(JSON.parse(bytes.toString()))),
      close: () => rabbit.close(),
    };
  });
}

/** Both directions in one run, with contents of one size. */
export function rabbitMqBothWays(bench: Bench, content: Buffer, count: number, pace: Pace): Promise<Contender> {
  return onServer(bench, NAME, 'rabbitMq', async ({ url, settings }) => {
    const rabbit = await Rabbit.open(url);
    return {
      settings: `${settings}; prefetch ${PREFETCH}`,
      prepare: () => rabbit.empty(),
      async run() {
        const started = performance.now();
        await rabbit.send(content, count, pace);
        const sent = rate(count, started);
        const handled = await rabbit.consume(count, async (bytes) => {
          expectCount('bytes of a message', bytes.length, content.length);
        });
        return [sent, handled];
      },
      close: () => rabbit.close(),
    };
  });
}

class Rabbit {
  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
  ) {}

  static async open(url: string): Promise<Rabbit> {
    const connection = await connect(url);
    return new Rabbit(connection, await connection.createConfirmChannel());
  }

  async empty(): Promise<void> {
    await this.channel.deleteQueue(QUEUE);
    await this.channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  }

  send(content: Buffer, count: number, pace: Pace): Promise<void> {
    return atPace(count, pace, () => publish(this.channel, content));
  }

  async ready(): Promise<number> {
    return (await this.channel.checkQueue(QUEUE)).messageCount;
  }

  /** @returns messages per second, until the server has heard of every ack */
  async consume(count: number, handle: (content: Buffer) => Promise<unknown>): Promise<number> {
    const channel = await this.connection.createConfirmChannel();
    await channel.prefetch(PREFETCH);
    let [handled, redelivered] = [0, 0];
    const { promise: all, finish } = finished();
    const started = performance.now();
    const failure = new Promise<never>((_, reject) => {
      channel.on('error', reject);
      const onMessage = (message: ConsumeMessage | null): void => {
        if (message === null) return reject(new Error('the server cancelled the consumer'));
        if (message.fields.redelivered) redelivered++;
        handle(message.content).then(() => {
          channel.ack(message);
          if (++handled === count) finish();
        }, reject);
      };
      void channel.consume(QUEUE, onMessage, { consumerTag: QUEUE }).catch(reject);
    });
    await Promise.race([all, failure]);
    await channel.checkQueue(QUEUE);
    const perSecond = rate(count, started);
    await channel.cancel(QUEUE);
    // The channel keeps acks back while many are on their way to the queue, and loses them when it is closed. A message
    // goes the same way: the first one is confirmed when those sent are stored, the second when those kept back are.
    for (let sent = 0; sent < FLUSHES; sent++) await publish(channel, Buffer.from('flush'));
    // What was not acknowledged would be ready again.
    await channel.close();
    await expectSoon('messages ready', FLUSHES, () => this.ready());
    expectCount('messages handled', handled, count);
    expectCount('messages delivered twice', redelivered, 0);
    return perSecond;
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

/** Resolves when the server confirms it. */
function publish(channel: ConfirmChannel, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const confirmed = (error: Error | null): void => (error ? reject(error) : resolve());
    channel.sendToQueue(QUEUE, content, { persistent: true }, confirmed);
  });
}
