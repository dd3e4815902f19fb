import { ValidationPipe } from '@nestjs/common';
import { nestConsuming, Order, piping } from '../peers/nest.js';
import { bullmqConsuming } from '../peers/bullmq.js';
import { BODY, type Bench, type Scenario } from '../scenario.js';

const CONCURRENCY = 100;
/** As many as in B4: the start of the application is in the figure. */
const count = ({ scale }: Bench): number => 1_000 * Math.max(Math.round(200 * scale), 1);
const fewer = (bench: Bench): number => 1_000 * Math.max(Math.round(20 * bench.scale), 1);

const pipe = new ValidationPipe({ transform: true });
const metadata = { type: 'body', metatype: Order } as const;

export const nestListener: Scenario = {
  id: 'B5',
  title: '@MqListener with a DTO through ValidationPipe, concurrency 100',
  unit: 'msg/s',
  bars: { 'the pipe alone': 0.8, 'bullmq worker + pipe': 4 },
  ours: (bench) => nestConsuming(bench, count(bench), CONCURRENCY),
  theirs: [
    (bench) => piping(count(bench), CONCURRENCY, () => pipe.transform(BODY, metadata)),
    (bench) =>
      bullmqConsuming(bench, fewer(bench), CONCURRENCY, {
        name: 'bullmq worker + pipe',
        handle: (body) => pipe.transform(body, metadata),
      }),
  ],
};
