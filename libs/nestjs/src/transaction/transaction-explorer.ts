// Finds the transaction listeners of one connection and makes each a check that core can call.
import { InvalidOptionError, type Mq, type TransactionCheck } from '@millrace/core';
import { Injectable } from '@nestjs/common';
import { MqConnection } from '../connection/mq-connection.js';
import { checkProvidedOnce } from '../listener/check-listener.js';
import { instanceFor, isPerMessage, MethodDiscovery, type FoundMethod } from '../method-discovery.js';
import { transactionListenersOf } from './mq-transaction-listener.decorator.js';

@Injectable()
export class TransactionExplorer {
  constructor(
    private readonly connection: MqConnection,
    private readonly discovery: MethodDiscovery,
  ) {}

  /** Throws InvalidOptionError naming the method when one is declared badly. */
  register(mq: Mq): void {
    const seen: FoundMethod[] = [];
    for (const found of this.discovery.methods()) {
      const declared = transactionListenersOf(found.prototype, found.method);
      const ours = declared.filter(({ connection }) => connection === this.connection.name);
      if (ours.length === 0) continue;
      checkProvidedOnce(found, seen);
      seen.push(found);
      for (const { options } of ours)
        try {
          mq.transactionListener(options, checkOf(found));
        } catch (error) {
          if (error instanceof InvalidOptionError) error.message = `${found.name}: ${error.message}`;
          throw error;
        }
    }
  }
}

function checkOf({ wrapper, method }: FoundMethod): TransactionCheck {
  return async (message, context) => {
    const instance: unknown = isPerMessage(wrapper) ? (await instanceFor(wrapper, message)).instance : wrapper.instance;
    return (instance as Record<string, TransactionCheck>)[method]!(message, context);
  };
}
