// The handler's view of its delivery. Signal and store are made when first asked for: most handlers never do.
import type { Message } from '../message/message.js';
import type { Delivery, FailureRecord } from './delivery.js';
import type { MqContext } from './mq-context.js';

export class DeliveryContext implements MqContext {
  private controller?: AbortController;
  private abortReason: unknown;
  private things?: Map<unknown, unknown>;

  constructor(
    readonly message: Message,
    private readonly delivery: Delivery,
  ) {}

  get topic(): string {
    return this.delivery.topic;
  }

  get group(): string {
    return this.delivery.group;
  }

  get messageId(): string {
    return this.message.messageId;
  }

  get attempt(): number {
    return this.delivery.state.attempt;
  }

  get crashes(): number {
    return this.delivery.state.crashes;
  }

  get generation(): number {
    return this.delivery.state.generation;
  }

  get fence(): number {
    return this.delivery.fence;
  }

  get failures(): readonly FailureRecord[] {
    return this.delivery.state.failures;
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  get store(): Map<unknown, unknown> {
    return (this.things ??= new Map());
  }

  /** The engine's side of `signal`; the first reason stays. */
  abort(reason: Error): void {
    this.abortReason ??= reason;
    this.controller?.abort(this.abortReason);
  }
}
