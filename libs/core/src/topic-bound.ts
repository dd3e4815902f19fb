// What `maxLength` means for one shard, and what a send is told that it refuses.
import { BrokerRefusedError } from './errors.js';
import type { TopicSettings } from './topic.js';

/** A shard cannot know how full the others are: each has its even share, rounded up. */
export function shareOf(limit: number, parts: number): number {
  return Math.ceil(limit / parts);
}

export function topicFull({ topic, maxLength }: TopicSettings): BrokerRefusedError {
  const problem = `topic ${topic} is full: its slowest group has ${maxLength} messages to do, the most it may have`;
  return new BrokerRefusedError(problem, 'MQ_TOPIC_FULL');
}
