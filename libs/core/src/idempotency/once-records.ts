// What idempotent listeners need of a broker: one record per group and key, which says who handles it, or that it is done.

/** One run of a handler asks for its key. Two claims are the same when message id and fence are: the hand-over. */
export interface OnceClaim {
  readonly topic: string;
  readonly group: string;
  /** Of the record, within the group; see `recordName`. */
  readonly name: string;
  /** Decides the shard of the record, as it does for messages. */
  readonly routingKey: string;
  readonly messageId: string;
  /** Fence of the delivery: of two hand-overs of one message the one with the greater fence is the later. */
  readonly fence: number;
  /** How long the claim holds without `renew`. */
  readonly leaseMs: number;
  /** How long it is remembered that it is done; also when a claim that nobody ends is forgotten. */
  readonly ttlMs: number;
}

export type ClaimAnswer =
  /** Ours: run the handler, then `complete` or `release`. */
  | { readonly type: 'granted' }
  /** Somebody else's, for so long if it is not renewed; more than 0. */
  | { readonly type: 'busy'; readonly leftMs: number }
  /** Not to be done again. */
  | {
      readonly type: 'done';
      /** Message that did it. */
      readonly messageId: string;
      /** As given to `complete`. */
      readonly result?: string;
    };

/** Instants are the broker's clock. Every call may be repeated: a lost reply changes no later answer. */
export interface OnceRecords {
  /**
   * Takes each record that is free: one that does not exist, whose claim has run out, or that an earlier hand-over of the
   * same message holds (it was handed over anew, so that one has ended). The same claim again is granted again, as long
   * as it is not completed. A record that this very message completed before the latest replay of the group is free for
   * a later hand-over of it. One answer per claim, order kept.
   */
  claim(claims: readonly OnceClaim[]): Promise<ClaimAnswer[]>;
  /** Prolongs claims by their lease; returns those that still hold. */
  renew(claims: readonly OnceClaim[]): Promise<OnceClaim[]>;
  /**
   * Says that it is done, for `ttlMs` from now, and with which result. `lost`: the claim does not hold any more, nothing
   * was written. A claim that has run out and that nobody else has taken still holds.
   */
  complete(claim: OnceClaim, result?: string): Promise<'completed' | 'lost'>;
  /** It was not done: the record goes, if it is still this claim's. */
  release(claim: OnceClaim): Promise<void>;
}
