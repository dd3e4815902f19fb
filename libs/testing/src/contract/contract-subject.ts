// What the contract suite needs to know of an implementation.
import type { BrokerPorts, Subscription } from '@millrace/core';

/** One opened storage, empty, and shared with nobody: its own namespace, store or database. */
export interface ContractSubject {
  /** Ports of a fresh "process" on this storage. The suite closes them. */
  ports(): BrokerPorts;
  /** Lets time pass: with a manual clock by moving it, on a server by waiting. Never asked for more than 400 ms at once. */
  advance(ms: number): Promise<void>;
  /** The broker's clock, Unix ms; a few ms of error are allowed for. */
  now(): number;
  /** Makes the group's present leases expire. @default advancing beyond the group's lease */
  expireLeases?(subscription: Subscription): Promise<void>;
  /** Removes what was stored and closes what is open, besides the ports. */
  close(): Promise<void>;
}

/** Promises that an implementation may still owe. Every implementation says yes or no to each. */
export const CONTRACT_FEATURES = {
  orderedMode: 'ordered groups: queue leases with growing epochs, parked keys, take-over in order',
  memberSilence: 'a member of an ordered group that falls silent is no longer listed within 3 leases',
  startFromInstant: 'a new group can start at an instant',
  storedGroupMode: 'a group keeps its mode: subscribing with another one is a TopicError',
  retentionCount: 'trimming keeps the newest `retentionCount` settled messages',
  deadLetterRetention: 'trimming removes dead letters that are older than their retention',
} as const;

export type ContractFeature = keyof typeof CONTRACT_FEATURES;
export type ContractFeatures = Readonly<Record<ContractFeature, boolean>>;

/** For a broker that does everything. */
export const ALL_CONTRACT_FEATURES = Object.fromEntries(
  Object.keys(CONTRACT_FEATURES).map((feature) => [feature, true]),
) as Record<ContractFeature, true>;
