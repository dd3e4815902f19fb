// What every process does for the topics it uses, whether it consumes or not: promote what is due, trim what is done.
import type { BackgroundLoop } from './background-loop.js';
import type { LoopHealth } from './loop-health.js';
import type { Broker } from './broker.js';
import type { GroupControl } from './control/group-control.js';
import { IdleGroupWatch } from './control/idle-group-watch.js';
import type { Clock } from './clock.js';
import { DelayPromoter } from './delay/delay-promoter.js';
import type { MqEvents } from './events.js';
import { RetentionTrimmer } from './retention/retention-trimmer.js';
import type { TopicSettings } from './topic.js';

export interface UpkeepParts {
  readonly broker: Broker;
  readonly control: Pick<GroupControl, 'checkIdle'>;
  readonly clock: Clock;
  readonly events: MqEvents;
  /** The topic has recurring messages; told again and again. */
  readonly onSchedules: (settings: TopicSettings) => void;
}

export class Upkeep {
  private readonly promoters = new Map<string, DelayPromoter[]>();
  private readonly trimmers: RetentionTrimmer[] = [];
  private readonly idleGroups: IdleGroupWatch[] = [];
  private stopped = false;

  constructor(private readonly parts: UpkeepParts) {
    parts.broker.listen({
      onWarning: (warning) => parts.events.emit('warning', warning),
      onScheduled: (topic, shard, dueInMs) => this.promoters.get(topic)?.[shard]?.wakeIn(Math.max(0, dueInMs)),
    });
  }

  /** Begins with the first use of a topic. Without effect the second time. */
  begin(settings: TopicSettings): void {
    const { topic, shards } = settings;
    if (this.stopped || this.promoters.has(topic)) return;
    const { broker, control, clock, events, onSchedules } = this.parts;
    const onError = (error: unknown, loop: string): void => events.emit('loop-error', { loop, error });
    const promoters = Array.from({ length: shards }, (_, shard) => {
      return new DelayPromoter({ broker, clock, topic, shard, onError });
    });
    const trimmer = new RetentionTrimmer({ broker, clock, topic, onError });
    this.promoters.set(topic, promoters);
    this.trimmers.push(trimmer);
    const idleGroups = new IdleGroupWatch({ control, clock, events, settings, onError, onSchedules });
    this.idleGroups.push(idleGroups);
    for (const loop of [...promoters, trimmer, idleGroups]) loop.start();
  }

  /** Resolves when the passes under way have ended. Nothing begins afterwards. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops().map((loop) => loop.stop()));
  }

  health(): LoopHealth[] {
    return this.loops().map((loop) => loop.health());
  }

  private loops(): BackgroundLoop[] {
    return [...[...this.promoters.values()].flat(), ...this.trimmers, ...this.idleGroups];
  }
}
