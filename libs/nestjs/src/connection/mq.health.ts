// Health of one connection, for any health check: terminus is not needed, and neither is it in the way.
import type { BrokerPorts, LoopHealth } from '@millrace/core';
import type { RedisHealth, RedisPorts } from '@millrace/redis';
import { MqConnection } from './mq-connection.js';
import { MqRegistrar } from './mq-registrar.js';

export interface MqHealthResult {
  readonly status: 'up' | 'down';
  /** Whether this process consumes. */
  readonly consuming: boolean;
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
  ) {}

  /**
   * `down` while the connection is lost, or when a background loop has not succeeded for 30 s and fails or
   * hangs. Each loop tells the age of its last success (for a `fetch` loop: of its last answered poll). Never throws, and asks no server: a connection that was not used yet is no reason to be down.
   */
  check(): MqHealthResult {
    const { mq } = this.connection;
    const loops = mq.health();
    const connection = (mq.ports as BrokerPorts & Partial<RedisPorts>).health?.();
    const isLost = connection?.connected === false && connection.lastError !== undefined;
    return {
      status: isLost || loops.some(isDown) ? 'down' : 'up',
      consuming: this.registrar.isRunning,
      loops,
      connection,
    };
  }
}

function isDown({ lastError, lastSuccessAgoMs, runningForMs = 0 }: LoopHealth): boolean {
  if (runningForMs > TOLERANCE_MS) return true;
  return lastError !== undefined && (lastSuccessAgoMs === undefined || lastSuccessAgoMs > TOLERANCE_MS);
}
