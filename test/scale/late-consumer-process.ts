// The consumer of lateness as the harness sees it. Beside the ledger of a million messages, and what collects its garbage, no handler
// starts in time: that is not what is measured.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./late-consumer.js', import.meta.url));
const START_MS = 30_000;

export interface LateConsumerConfig {
  readonly connection: string;
  readonly namespace: string;
  readonly topic: string;
  /** Handlers to start before it reports. */
  readonly count: number;
}

/** Number of the message, Unix ms when its handler started. */
export type HandlerStart = readonly [n: number, at: number];

export interface LateConsumer {
  /** Waits until as many handlers as were asked for have started; begin to wait before they can have. Rejects after `ms`. */
  starts(ms: number): Promise<readonly HandlerStart[]>;
  stop(): Promise<void>;
}

/** Resolves when it consumes. */
export async function startLateConsumer(config: LateConsumerConfig): Promise<LateConsumer> {
  const child = spawn(process.execPath, ['--enable-source-maps', PROGRAM, JSON.stringify(config)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const closed = once(child, 'close');
  /** The next thing it says. */
  const next = async (ms: number, what: string): Promise<unknown> => {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s`)), ms);
      void closed.then(() => reject(new Error('the consumer ended before it had said all')));
    });
    const [said] = (await Promise.race([once(child, 'message'), over]).finally(() => clearTimeout(timer))) as [unknown];
    return said;
  };
  const stop = async (): Promise<void> => {
    if (child.connected) child.send('stop');
    await closed;
  };
  try {
    await next(START_MS, 'the consumer was not ready');
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { starts: (ms) => next(ms, 'not all messages were handled') as Promise<readonly HandlerStart[]>, stop };
}
