// What is wrong when a decision about a half message does not take effect. Stable codes: docs/errors.md.
import { MqError } from '../errors.js';
import type { HalfAnswer } from './half-message.js';

/** Undefined when the answer is what was decided. */
export function halfError(
  topic: string,
  messageId: string,
  decision: 'commit' | 'rollback',
  answer: HalfAnswer,
): MqError | undefined {
  const half = `half message ${messageId} of topic ${topic}`;
  switch (answer.state) {
    case 'parked':
      return new MqError(`${half} is parked after its last check: an operator decides, or resumes it`, {
        code: 'MQ_HALF_PARKED',
      });
    case 'not-found':
      return new MqError(`${half} is not known: decided long ago, or lost`, { code: 'MQ_HALF_NOT_FOUND' });
    default: {
      const wanted = decision === 'commit' ? 'committed' : 'rolled-back';
      if (answer.state === wanted) return undefined;
      return new MqError(`${half} is ${answer.state} already, and cannot be ${wanted} any more`, {
        code: 'MQ_HALF_SETTLED',
      });
    }
  }
}

/** Cancel and reschedule are for what is scheduled. */
export function halfPending(topic: string, name: string): MqError {
  const problem = `${name} of topic ${topic} is a half message: it is neither scheduled nor delivered before its commit`;
  return new MqError(problem, { code: 'MQ_HALF_PENDING', retriable: true });
}
