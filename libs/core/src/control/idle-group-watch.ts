// Tells of groups that nobody consumes for any more: what they have not read, no trimming may remove.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Clock } from '../clock.js';
import type { MqEvents } from '../events.js';
import type { TopicSettings } from '../topic.js';
import type { GroupControl } from './group-control.js';

export interface IdleGroupWatchParts {
  readonly control: Pick<GroupControl, 'checkIdle'>;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly settings: TopicSettings;
  /** The same look tells whether the topic has recurring messages: no topic pays a call of its own for that. */
  readonly onSchedules?: (settings: TopicSettings) => void;
  readonly onError: OnLoopError;
}

const MAX_EVERY_MS = 60_000;

/** Runs in every process that uses the topic; each alarm is one process's. */
export class IdleGroupWatch extends BackgroundLoop {
  constructor({ control, clock, events, settings, onError, onSchedules }: IdleGroupWatchParts) {
    const { topic, idleAfterMs, idleExpireMs } = settings;
    super({
      name: `idle groups ${topic}`,
      everyMs: Math.max(1, Math.min(MAX_EVERY_MS, idleAfterMs / 2)),
      jitter: 0.5,
      pass: async () => {
        const { idle, expired, hasSchedules } = await control.checkIdle(topic, {
          idleAfterMs,
          expireAfterMs: idleExpireMs,
        });
        for (const one of idle) events.emit('group-idle', { topic, ...one });
        if (hasSchedules) onSchedules?.(settings);
        for (const group of expired) events.emit('group-expired', { topic, group });
      },
      onError,
      clock,
      isIdle: () => true,
    });
  }
}
