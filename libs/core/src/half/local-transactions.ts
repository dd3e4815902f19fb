// The sender's side: store the half message, run the local transaction, tell the broker what it decided.
import type { Clock } from '../clock.js';
import { InvalidOptionError, MqError, SendUnknownError, BrokerRefusedError } from '../errors.js';
import type { Broker } from '../broker.js';
import type { OutgoingMessage } from '../message/message.js';
import type { SendReceipt } from '../producer/receipt.js';
import { halfError } from './half-errors.js';
import { HALF_OUTCOME_MS, type HalfAnswer } from './half-message.js';
import type { HalfMessages, HalfOwner } from './half-messages.js';
import type { LocalTransaction, TransactionReceipt } from './local-transaction.js';

export interface LocalTransactionsParts {
  readonly broker: Pick<Broker, 'send'>;
  readonly half: HalfMessages;
  readonly clock: Clock;
}

/** A replay of the outcome that just falls within its life must not be taken for a loss. */
const MARGIN_MS = 60_000;
const DECISIONS: readonly unknown[] = ['commit', 'rollback', 'unknown'];

export class LocalTransactions {
  constructor(private readonly parts: LocalTransactionsParts) {}

  async run(message: OutgoingMessage, owner: HalfOwner, transaction: LocalTransaction): Promise<TransactionReceipt> {
    const { half, clock } = this.parts;
    const prepared = await half.prepare(message, owner);
    if (!prepared.ok) throw notPrepared(prepared.error);
    const { receipt } = prepared;
    // Somebody else's transaction, or a former life of ours: it may be under way, so it must not be run beside itself.
    if (receipt.duplicate) return receipt;
    const preparedAt = clock.monotonic();
    const { topic, messageId } = message;
    const decision = await transaction({ topic, messageId });
    if (!DECISIONS.includes(decision)) throw badDecision(decision);
    if (decision === 'unknown') return { ...receipt, state: 'half' };
    let answer: HalfAnswer;
    try {
      answer = await half[decision](topic, message);
    } catch (error) {
      // The transaction has ended; whoever called must not take it for failed. The check-back carries the decision over.
      if (error instanceof MqError) return { ...receipt, state: 'half', error };
      throw error;
    }
    const knownFor = HALF_OUTCOME_MS - MARGIN_MS;
    if (answer.state === 'not-found' && clock.monotonic() - preparedAt < knownFor)
      return this.lost(message, receipt, decision);
    const error = halfError(topic, messageId, decision, answer);
    if (error) throw error;
    return { ...receipt, ...settled(answer) };
  }

  /** The store has lost the half message (FLUSHALL, a failover to a replica that lags); the message is still in our hands. */
  private async lost(
    message: OutgoingMessage,
    receipt: SendReceipt,
    decision: 'commit' | 'rollback',
  ): Promise<TransactionReceipt> {
    if (decision === 'rollback') return { ...receipt, state: 'rolled-back' };
    const [result] = await this.parts.broker.send([message]);
    if (!result!.ok) throw result!.error;
    return result!.receipt;
  }
}

/** Errors are thrown before this. */
function settled(answer: HalfAnswer): Pick<TransactionReceipt, 'state' | 'dueAt'> {
  if (answer.state === 'rolled-back') return { state: 'rolled-back' };
  const dueAt = answer.state === 'committed' ? answer.dueAt : undefined;
  return dueAt ? { state: 'scheduled', dueAt } : { state: 'accepted' };
}

/** `retry()` would store a half message without its local transaction: nobody is given it. */
function notPrepared(error: MqError): MqError {
  if (!(error instanceof SendUnknownError)) return error;
  const text = `whether half message ${error.messageId} was stored is not known; its local transaction was not run`;
  return new BrokerRefusedError(text, 'MQ_UNAVAILABLE', error);
}

function badDecision(given: unknown): InvalidOptionError {
  const problem = "must give 'commit', 'rollback' or 'unknown'; the half message stays, and is checked";
  return new InvalidOptionError('sendInTransaction.localTransaction', given, problem);
}
