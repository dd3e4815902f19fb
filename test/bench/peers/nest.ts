// A Nest application with one listener whose payload goes through the global ValidationPipe; and the pipe by itself.
import 'reflect-metadata';
import { Injectable, Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE, NestFactory } from '@nestjs/core';
import { getMqAdminToken, getMqToken, MqListener, MqModule, MqPayload, type Mq, type MqAdmin } from '@millrace/nestjs';
import { IsInt, IsString } from 'class-validator';
import { expectCount, finished, rate, type Bench, type Contender } from '../scenario.js';
import { fill, TOPIC } from './millrace.js';

export class Order {
  @IsInt()
  id!: number;

  @IsString()
  buyer!: string;

  @IsString()
  note!: string;
}

let handled = 0;
let onHandled: () => void = () => undefined;

export async function nestConsuming(bench: Bench, count: number, concurrency: number): Promise<Contender> {
  @Injectable()
  class OrderListener {
    @MqListener({ topic: TOPIC, group: 'nest', concurrency })
    async handle(@MqPayload() order: Order): Promise<void> {
      if (order instanceof Order) handled++;
      onHandled();
    }
  }

  @Module({
    imports: [MqModule.forRoot({ connection: bench.redisUrl, namespace: 'bench' })],
    providers: [OrderListener, { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) }],
  })
  class BenchModule {}

  return {
    name: 'millrace',
    prepare: () => fill(bench, count),
    async run() {
      handled = 0;
      const { promise: all, finish } = finished();
      onHandled = () => {
        if (handled === count) finish();
      };
      // The start of the application is in the figure: consuming begins somewhere inside it.
      const started = performance.now();
      const app = await NestFactory.createApplicationContext(BenchModule, { logger: false });
      await all;
      const mq = app.get<Mq>(getMqToken());
      await mq.stopConsuming();
      const perSecond = rate(count, started);
      const [group] = (await app.get<MqAdmin>(getMqAdminToken()).stats(TOPIC)).groups;
      await app.close();
      expectCount('messages acknowledged', group!.done, count);
      return perSecond;
    },
    close: async () => undefined,
  };
}

/** So many calls at once, as the listener has. */
export async function piping(
  count: number,
  concurrency: number,
  transform: () => Promise<unknown>,
): Promise<Contender> {
  return {
    name: 'the pipe alone',
    async run() {
      const started = performance.now();
      let next = 0;
      const loop = async (): Promise<void> => {
        while (next++ < count) await transform();
      };
      await Promise.all(Array.from({ length: concurrency }, loop));
      return rate(count, started);
    },
    close: async () => undefined,
  };
}
