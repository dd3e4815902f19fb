// What is stored for one topic: its settings, shards and groups.
import { TopicError, type GroupSpec, type TopicSettings, type TopicSpec } from '@millrace/core';
import { Shard } from './shard.js';
import type { OnceRecord } from './in-memory-once.js';
import type { KeptPositions } from './in-memory-broadcast.js';
import { StoredGroup, type Ordered } from './stored-group.js';
import { StoredSchedules } from './stored-schedules.js';

export class StoredTopic {
  readonly settings: TopicSettings;
  readonly shards: readonly Shard[];
  readonly groups = new Map<string, StoredGroup>();
  /** By group: dead letters that nobody was told of, from the first dead-letter listener on. */
  readonly untold = new Map<string, Map<string, number>>();
  /** Groups that read by broadcast, with the places of their named instances by instance. */
  readonly broadcasts = new Map<string, Map<string, KeptPositions>>();
  /** By group and name; they outlive their group. */
  private readonly once = new Map<string, Map<string, OnceRecord>>();
  readonly schedules = new StoredSchedules();
  accepted = 0;
  cancelled = 0;
  rolledBack = 0;
  pause?: Ordered;

  constructor({ autoCreate: _autoCreate, explicit: _explicit, ...settings }: TopicSpec) {
    this.settings = Object.freeze(settings);
    this.shards = Array.from({ length: settings.shards }, () => new Shard(settings.queues / settings.shards));
  }

  /** Throws TopicError when code spelled out a setting that is stored with another value. */
  checkSettings(spec: TopicSpec): void {
    for (const setting of spec.explicit) {
      const stored = this.settings[setting];
      if (spec[setting] === stored) continue;
      throw new TopicError(
        spec.topic,
        `topic ${spec.topic}: ${setting} is ${stored} in storage and ${spec[setting]} in code`,
      );
    }
  }

  /** Registers the group, or finds it; an existing group is never moved. Throws TopicError when its mode differs. */
  declareGroup(spec: GroupSpec): StoredGroup {
    let group = this.groups.get(spec.group);
    if (group && group.mode !== spec.mode)
      throw new TopicError(spec.topic, `group ${spec.group} of topic ${spec.topic} is ${group.mode}, not ${spec.mode}`);
    if (!group) this.groups.set(spec.group, (group = new StoredGroup(spec, this.shards)));
    group.untold = this.untold.get(spec.group);
    return group;
  }

  /** The records of idempotent listeners of a group. */
  onceOf(group: string): Map<string, OnceRecord> {
    const known = this.once.get(group) ?? new Map<string, OnceRecord>();
    this.once.set(group, known);
    return known;
  }

  /** Declares that somebody wants to be told of the group's dead letters; the group itself may come later. */
  untoldOf(group: string): Map<string, number> {
    const known = this.untold.get(group) ?? new Map<string, number>();
    this.untold.set(group, known);
    const found = this.groups.get(group);
    if (found) found.untold = known;
    return known;
  }
}
