// An instant that surely lies behind a fill: what is due by then has to be stored before.
import type { SendOptions } from '@millrace/core';
import { fill, type FillOptions } from './fill.js';

const TRIAL_SHARE = 0.02;
const MARGIN = 1.6;
const LEAST_MS = 1_500;

/** Fills a topic of its own with a share of it, to see how fast this machine is today. Unix ms. */
export async function instantAfter(
  { broker, count }: Pick<FillOptions, 'broker' | 'count'>,
  trialTopic: string,
  trialOptions: (n: number) => SendOptions,
): Promise<number> {
  const trial = Math.ceil(count * TRIAL_SHARE);
  const started = performance.now();
  await fill({ broker, topic: trialTopic, count: trial, optionsOf: trialOptions });
  const perMessage = (performance.now() - started) / trial;
  return Date.now() + Math.ceil(perMessage * count * MARGIN) + LEAST_MS;
}

/** Until the instant has passed, by the server's clock, which is ours: it runs on this machine. */
export async function passes(instant: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, instant - Date.now()) + 5));
}
