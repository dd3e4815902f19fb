// One printed line for each thing that was checked, and how many there were.
export const claims = { passed: 0, failed: 0 };

/** `detail` says what was found instead, and is printed only then. Returns whether the claim holds. */
export function claim(text, holds, detail = '') {
  claims[holds ? 'passed' : 'failed']++;
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${text}`);
  if (!holds && detail !== '') console.log(detail.replaceAll(/^/gm, '       | '));
  return Boolean(holds);
}
