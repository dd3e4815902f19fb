// npm run scale: delayed messages, idempotency keys and kept answers by the million, against the limits of docs/capacity.md.
// Exit code 1 when one does not hold.
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { holds, line, unfinished, type Finding } from './claim.js';
import { FlagError, parseFlags, usage, type ScaleFlags } from './flags.js';
import { Ground } from './ground.js';
import { writeFindings } from './page.js';
import { PARTS } from './parts.js';

const MANY = 1_000_000;
const MANY_QUICK = 20_000;
const PAGE = 'docs/capacity.md';

process.exit(await main(process.argv.slice(2)));

function say(text: string): void {
  console.log(`     ${text}`);
}

async function main(args: string[]): Promise<number> {
  const names = Object.keys(PARTS);
  let flags: ScaleFlags;
  try {
    flags = parseFlags(args, names, randomInt(2 ** 32 - 1));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${usage(names)}`);
    return 2;
  }
  if (flags.help) {
    console.log(usage(names));
    return 0;
  }
  const { seed, quick, parts, json, writeDocs } = flags;
  console.log(`seed ${seed}`);
  const started = performance.now();
  const findings: Finding[] = [];
  let redis = '';
  for (const part of parts.length > 0 ? parts : names) {
    console.log(`\n${part}`);
    const ground = await Ground.open({ part, many: quick ? MANY_QUICK : MANY, isQuick: quick, seed, say });
    try {
      redis = /^redis_version:(\S+)/m.exec(await ground.redis.info('server'))?.[1] ?? '?';
      findings.push(...(await PARTS[part]!(ground)).map((claim) => ({ part, ...claim })));
    } catch (error) {
      findings.push(unfinished(part, error));
    } finally {
      await ground.close();
    }
    for (const finding of findings) if (finding.part === part) console.log(line(finding));
  }
  const minutes = (performance.now() - started) / 60_000;
  if (json !== undefined)
    writeFileSync(
      json,
      `${JSON.stringify(
        findings.map((finding) => ({ ...finding, held: holds(finding) })),
        undefined,
        2,
      )}\n`,
    );
  const seen = {
    seed,
    day: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    node: process.version,
    redis,
    minutes,
  };
  if (writeDocs) writeFindings(PAGE, findings, seen);
  const broken = findings.filter((finding) => !holds(finding));
  console.log(
    `\nscale: ${findings.length - broken.length} held, ${broken.length} broken, seed ${seed}, ${minutes.toFixed(1)} min`,
  );
  return broken.length > 0 ? 1 : 0;
}
