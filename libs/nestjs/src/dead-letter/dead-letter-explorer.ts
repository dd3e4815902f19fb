// Finds the dead-letter listeners of one connection and makes each a handler that core can call.
import { InvalidOptionError, type DeadLetterHandler, type Mq } from '@millrace/core';
import { Injectable } from '@nestjs/common';
import { MqConnection } from '../connection/mq-connection.js';
import { checkProvidedOnce } from '../listener/check-listener.js';
import { instanceFor, isPerMessage, MethodDiscovery, type FoundMethod } from '../method-discovery.js';
import { deadLetterListenersOf } from './mq-dead-letter-listener.decorator.js';

@Injectable()
export class DeadLetterExplorer {
  constructor(
    private readonly connection: MqConnection,
    private readonly discovery: MethodDiscovery,
  ) {}

  /** Throws InvalidOptionError naming the method when one is declared badly. */
  register(mq: Mq): void {
    const seen: FoundMethod[] = [];
    for (const found of this.discovery.methods()) {
      const declared = deadLetterListenersOf(found.prototype, found.method);
      const ours = declared.filter(({ connection }) => connection === this.connection.name);
      if (ours.length === 0) continue;
      checkProvidedOnce(found, seen);
      seen.push(found);
      for (const { options } of ours)
        try {
          mq.listenDeadLetters(options, handlerOf(found));
        } catch (error) {
          if (error instanceof InvalidOptionError) error.message = `${found.name}: ${error.message}`;
          throw error;
        }
    }
  }
}

function handlerOf({ wrapper, method }: FoundMethod): DeadLetterHandler {
  return async (letter, context) => {
    const instance: unknown = isPerMessage(wrapper) ? (await instanceFor(wrapper, letter)).instance : wrapper.instance;
    await (instance as Record<string, DeadLetterHandler>)[method]!(letter, context);
  };
}
