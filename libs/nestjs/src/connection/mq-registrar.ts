// Starts and stops the listeners of one connection.
import { InvalidOptionError } from '@millrace/core';
import { DeadLetterExplorer } from '../dead-letter/dead-letter-explorer.js';
import { ListenerExplorer } from '../listener/listener-explorer.js';
import { MqConnection } from './mq-connection.js';

/** With `consumers: false` the application decides by it when to consume; otherwise the module does at bootstrap. */
export class MqRegistrar {
  private registered?: Promise<void>;
  private running = false;

  constructor(
    private readonly connection: MqConnection,
    private readonly explorer: ListenerExplorer,
    private readonly deadLetters: DeadLetterExplorer,
  ) {}

  /** True from a successful `start` to `stop`. */
  get isRunning(): boolean {
    return this.running;
  }

  /** Finds the listeners and begins to consume. Throws InvalidOptionError when one is declared badly. Idempotent. */
  async start(): Promise<void> {
    await (this.registered ??= this.register());
    await this.connection.mq.start();
    this.running = true;
  }

  /** Stops fetching, hands back what has not started, waits for running listeners up to `shutdownTimeout`. Idempotent. */
  async stop(): Promise<void> {
    this.running = false;
    await this.connection.mq.stopConsuming();
  }

  private async register(): Promise<void> {
    const { mq } = this.connection;
    // A started `Mq` takes no listeners, and with `consumers: false` it was started to look after its topics.
    await mq.stopConsuming();
    for (const { options, handler, name, middleware } of this.explorer.explore())
      try {
        mq.listen(options, handler, { name, middleware });
      } catch (error) {
        if (error instanceof InvalidOptionError && !error.message.includes(name))
          error.message = `${name}: ${error.message}`;
        throw error;
      }
    this.deadLetters.register(mq);
  }
}
