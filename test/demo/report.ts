// The end of a run: figures, invariants, and the same as JSON.
import type { Verdict } from './auditor.js';
import type { Evidence } from './evidence.js';
import type { DemoFlags } from './flags.js';
import type { Ledger } from './ledger.js';

/** What the figures are made of besides the evidence. */
export interface RunFacts {
  seconds: number;
  /** Messages in the hands of a consumer when one of them was killed. */
  leasedAtKill: number;
  /** Retries of the messages that died. */
  retriesOfDead: number;
  dead: number;
  redriven: number;
}

export interface Report {
  settings: Pick<DemoFlags, 'buyers' | 'stock' | 'timeoutMs' | 'sabotage'>;
  seconds: number;
  figures: Record<string, number>;
  invariants: Verdict[];
  held: boolean;
}

const REASONS = ['not-started', 'sold-out', 'already-ordered', 'closed'];

export function makeReport(
  flags: DemoFlags,
  ledger: Ledger,
  evidence: Evidence,
  facts: RunFacts,
  invariants: Verdict[],
): Report {
  const { orders, shipments, notifications, sales } = evidence;
  const reasons = new Set([...REASONS, ...ledger.refused.keys()]);
  const refused = [...reasons].map((reason) => [`refused: ${reason}`, ledger.refused.get(reason) ?? 0] as const);
  const { buyers, stock, timeoutMs, sabotage } = flags;
  return {
    settings: { buyers, stock, timeoutMs, sabotage },
    seconds: Number(facts.seconds.toFixed(1)),
    figures: {
      requests: ledger.requests,
      queued: ledger.queued,
      'repeated clicks, same ticket': ledger.repeated,
      ...Object.fromEntries(refused),
      'failed requests': ledger.failed,
      orders: orders.total,
      paid: orders.paid,
      'paid too late': ledger.tooLate,
      cancelled: orders.cancelled,
      'stock returned': sales.reduce((sum, sale) => sum + sale.returned, 0),
      'shipped in order': shipments.total - shipments.outOfOrder,
      notified: notifications.total,
      'leased when a process was killed': facts.leasedAtKill,
      retried: notifications.retries + facts.retriesOfDead,
      dead: facts.dead,
      redriven: facts.redriven,
    },
    invariants,
    held: invariants.every(({ held }) => held),
  };
}

export function printReport({ settings, seconds, figures, invariants, held }: Report): void {
  const { buyers, stock, sabotage } = settings;
  const title = `${buyers.toLocaleString('en')} buyers, ${stock.toLocaleString('en')} items, ${seconds} s${sabotage ? `, sabotage: ${sabotage}` : ''}`;
  console.log(`\n  ${title}\n  ${'─'.repeat(title.length)}`);
  for (const [name, value] of Object.entries(figures))
    console.log(`  ${name.padEnd(36)}${value.toLocaleString('en').padStart(10)}`);
  console.log();
  for (const { invariant, held: kept, finding } of invariants) {
    console.log(
      `  ${kept ? 'held  ' : 'BROKEN'}  ${invariant}${finding === undefined ? '' : `\n          ${finding}`}`,
    );
  }
  const idle = Object.keys(figures).filter((name) => figures[name] === 0 && name !== 'failed requests');
  if (idle.length > 0) console.log(`\n  not seen in this run: ${idle.join(', ')}`);
  const broken = invariants.filter((verdict) => !verdict.held).length;
  console.log(
    `\n  ${held ? `all ${invariants.length} invariants held` : `${broken} of ${invariants.length} invariants BROKEN`}`,
  );
}
