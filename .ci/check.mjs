// `npm run check`: every gate, each timed, all of them even when one fails. What CI runs and what says "done".
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

const GATES = ['format:check', 'lint', 'typecheck', 'deps', 'budgets', 'lock'];

const failed = GATES.filter((gate) => {
  console.log(`--- ${gate}`);
  const start = performance.now();
  const { status } = spawnSync('npm', ['run', '--silent', gate], {
    stdio: 'inherit',
    cwd: join(import.meta.dirname, '..'),
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`--- ${gate}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  return status !== 0;
});
console.log(failed.length ? `check: FAILED: ${failed.join(', ')}` : `check: all ${GATES.length} gates ok`);
if (process.env.MILLRACE_COUNTS) {
  const counts = { suite: 'gates', passed: GATES.length - failed.length, failed: failed.length, skipped: 0 };
  appendFileSync(process.env.MILLRACE_COUNTS, `${JSON.stringify(counts)}\n`);
}
process.exit(failed.length ? 1 : 0);
