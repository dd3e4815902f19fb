// Appends one JSON line per suite to the file named by MILLRACE_COUNTS, so that `.ci/run` can add the tests up.
import { appendFileSync } from 'node:fs';

export default class JestCountsReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.MILLRACE_COUNTS;
    if (!file) return;
    const suites = {};
    for (const result of results.testResults) {
      // The suffix, because a file that does not load carries no project name.
      const suite = /\.(int|e2e)\.spec\.ts$/.exec(result.testFilePath)?.[1] ?? 'unit';
      const counts = (suites[suite] ??= { passed: 0, failed: 0, skipped: 0 });
      counts.passed += result.numPassingTests;
      // A file that does not load has no failing test, yet must not count as nothing.
      counts.failed += result.numFailingTests || (result.testExecError ? 1 : 0);
      counts.skipped += result.numPendingTests + result.numTodoTests;
    }
    for (const [suite, counts] of Object.entries(suites)) {
      appendFileSync(file, `${JSON.stringify({ suite, ...counts })}\n`);
    }
  }
}
