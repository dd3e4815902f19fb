// A process with a recurring message, for cron-killed.e2e.spec.ts:
//
//   node cron-member.js <namespace> <Unix ms>          REDIS_URL in the environment; a channel to the parent
//
// Its time begins at the instant it is told, stands still, and goes on when the parent says so. It tells of each tick it
// handles, and when it has nothing left to do in its present instant. The parent may name a point at which it kills itself.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { BrokerPorts } from '@millrace/core';
import { MqCron, MqCtx, MqListener, MqModule, type MqContext } from '@millrace/nestjs';
import { connectVirtualRedis, ManualClock } from '@millrace/testing';

/** Right after the call of this name was answered; `handler`: in the middle of one. */
export type KillPoint = 'plan' | 'send' | 'sent' | 'handler';

export type ToMember = { advance: number } | { dieAt: KillPoint };

export type FromMember = { tick: string } | { atRest: true };

const [namespace, start] = process.argv.slice(2);
const tell = (message: FromMember): void => void process.send!(message);
let deadly: KillPoint | undefined;

function dieAt(point: KillPoint): void {
  if (point === deadly) process.kill(process.pid, 'SIGKILL');
}

/** The same port of a process that may die when it hears an answer. */
function mortal<Port extends object>(port: Port, points: readonly KillPoint[]): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      const point = points.find((one) => one === name);
      if (typeof member !== 'function' || !point) return member;
      return async (...args: unknown[]): Promise<unknown> => {
        const answer: unknown = await member.apply(target, args);
        dieAt(point);
        return answer;
      };
    },
  });
}

const clock = new ManualClock(Number(start));
const redis = connectVirtualRedis({ connection: process.env.REDIS_URL!, namespace, clock });
const ports: BrokerPorts = {
  ...redis,
  broker: mortal(redis.broker, ['send']),
  schedules: mortal(redis.schedules!, ['plan', 'sent']),
};

class Reports {
  @MqCron({ every: '1s' }, { topic: 'reports', name: 'secondly' })
  @MqListener({ topic: 'reports', group: 'builder', lease: '10s' })
  build(@MqCtx() { message }: MqContext): void {
    dieAt('handler');
    tell({ tick: message.headers['mq-tick']! });
  }
}

@Module({ imports: [MqModule.forRoot({ ports, clock })], providers: [Reports] })
class AppModule {}

await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });

process.on('message', (message: ToMember) => {
  if ('dieAt' in message) deadly = message.dieAt;
  else void clock.advance(message.advance).then(() => tell({ atRest: true }));
});

tell({ atRest: true });
