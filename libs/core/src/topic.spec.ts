import { InvalidOptionError } from './errors.js';
import { storedSettings, checkGroupName, checkTopicName, topicSpec, type TopicOptions } from './topic.js';

describe('topic', () => {
  it('has 1 shard, 4 queues, a dedup window of 24 h, delays up to 365 days, 1 h, 100,000 or 64 MiB of retention', () => {
    expect(topicSpec({ topic: 'orders' })).toEqual({
      topic: 'orders',
      shards: 1,
      queues: 4,
      delayBuckets: 4,
      idempotencyWindowMs: 86_400_000,
      idleAfterMs: 86_400_000,
      maxDelayMs: 31_536_000_000,
      retentionMs: 3_600_000,
      retentionCount: 100_000,
      retentionBytes: 64 * 1024 * 1024,
      deadLetterCount: 100_000,
      deadLetterRetentionMs: 1_209_600_000,
      autoCreate: true,
      explicit: [],
    });
  });

  it('names the settings that code spelled out: only they can conflict with stored ones', () => {
    const spec = topicSpec({ topic: 'orders', queues: 4, maxDelay: '1h', retention: undefined });
    expect(spec.explicit).toEqual(['queues', 'maxDelayMs']);
  });

  it('fills in what an older version did not store', () => {
    const {
      autoCreate: _autoCreate,
      explicit: _explicit,
      retentionBytes: _,
      ...stored
    } = topicSpec({ topic: 'a', queues: 8 });
    expect(storedSettings(stored)).toMatchObject({ queues: 8, retentionBytes: 64 * 1024 * 1024 });
  });

  it.each<[object, string]>([
    [{ topic: '' }, 'topic'],
    [{ topic: 'a b' }, 'topic'],
    [{ topic: 'x'.repeat(128) }, 'topic'],
    [{ topic: 'a', queue: 3 }, 'topic.queue'],
    [{ topic: 'a', shards: 0 }, 'topic.shards'],
    [{ topic: 'a', shards: 3 }, 'topic.queues'],
    [{ topic: 'a', queues: 2.5 }, 'topic.queues'],
    [{ topic: 'a', maxDelay: 'soon' }, 'topic.maxDelay'],
    [{ topic: 'a', ttl: 0 }, 'topic.ttl'],
    [{ topic: 'a', maxLength: 0 }, 'topic.maxLength'],
    [{ topic: 'a', maxLength: 5, onFull: 'block' }, 'topic.onFull'],
    [{ topic: 'a', onFull: 'reject' }, 'topic.onFull'],
  ])('%o is refused, naming %s', (options, option) => {
    expect(() => topicSpec(options as TopicOptions)).toThrow(InvalidOptionError);
    expect(() => topicSpec(options as TopicOptions)).toThrow(expect.objectContaining({ option }));
  });

  it("follows RocketMQ's rules for names of topics and groups", () => {
    expect(checkTopicName('%RETRY%a-Z_0.9')).toBe('%RETRY%a-Z_0.9');
    expect(checkGroupName('x'.repeat(120))).toHaveLength(120);
    expect(() => checkGroupName('x'.repeat(121))).toThrow(InvalidOptionError);
  });
});
