// The lanes of a connection: one for each level and node, made with their first use.
import type { DurabilityLevel } from '@millrace/core';
import type { Connections } from './connections.js';
import { DurableLane } from './durable-lane.js';

export class DurableLanes {
  private readonly lanes = new Map<string, DurableLane>();

  private readonly waitMs: number;

  /** @param deadlineMs when a call gives up */
  constructor(
    private readonly connections: Connections,
    deadlineMs: number,
  ) {
    // Twice again before the call gives up, and before the silence of the socket is taken for death.
    this.waitMs = Math.floor(Math.min(deadlineMs, connections.settings.silenceMs) / 3);
  }

  /** @param routingKey any key of the shard that is written to */
  of(routingKey: string, level: DurabilityLevel): DurableLane {
    const name = `${levelName(level)} ${this.connections.placeOf(routingKey)}`;
    let lane = this.lanes.get(name);
    if (!lane) this.lanes.set(name, (lane = new DurableLane(this.connections, routingKey, level, this.waitMs)));
    return lane;
  }
}

/** Levels that are proven alike have one name. */
export const levelName = ({ fsync, replicas }: DurabilityLevel): string => `${fsync ? 'fsync' : 'memory'}+${replicas}`;
