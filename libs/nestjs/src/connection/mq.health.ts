// Health of one connection, for any health check: terminus is not needed, and neither is it in the way.
import type { LoopHealth } from '@millrace/core';
import type { RedisHealth } from '@millrace/redis';
import { MqConnection } from './mq-connection.js';
import { MqRegistrar } from './mq-registrar.js';
import type { StartUp } from './start-up.js';

export interface MqHealthResult {
  readonly status: 'up' | 'down';
  /** Whether this process consumes. */
  readonly consuming: boolean;
  /** The application was started without its broker (option `startup`), which has not answered yet: nothing is consumed. */
  readonly starting: boolean;
  readonly loops: readonly LoopHealth[];
  /** Absent when the ports do not tell (in-memory ones). */
  readonly connection?: RedisHealth;
}

/** A loop that fails, or hangs in one pass, for longer than this is down; a failover takes less. In ms. */
const TOLERANCE_MS = 30_000;

export class MqHealth {
  constructor(
    private readonly connection: MqConnection,
    private readonly registrar: MqRegistrar,
    private readonly startUp: Pick<StartUp, 'isLate' | 'health'>,
  ) {}

  /**
   * `down` while the connection is lost, while the application runs without having reached its broker, or when a background loop fails or hangs for 30 s, or has never
   * succeeded and fails. Each loop tells the age of its last success (for a `fetch` loop: of its last answered poll). Never throws, and asks no server: a connection that was not used yet is no reason to be down.
   */
  check(): MqHealthResult {
    const loops = [...this.startUp.health(), ...this.connection.mq.health()];
    const connection = this.connection.brokerHealth();
    const starting = this.startUp.isLate;
    const isLost = connection?.connected === false && connection.lastError !== undefined;
    return {
      status: isLost || starting || loops.some(isDown) ? 'down' : 'up',
      consuming: this.registrar.isRunning,
      starting,
      loops,
      connection,
    };
  }
}

/** Not by its last success: some loops look once a minute, and one failed look is no outage. */
function isDown({ lastError, lastSuccessAgoMs, runningForMs = 0, failingForMs = 0 }: LoopHealth): boolean {
  if (runningForMs > TOLERANCE_MS || failingForMs > TOLERANCE_MS) return true;
  return lastError !== undefined && lastSuccessAgoMs === undefined;
}
