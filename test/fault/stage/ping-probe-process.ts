// The probe as its parent sees it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./ping-probe.js', import.meta.url));

export interface ProbeResult {
  readonly pings: number;
  /** Pings during which the control was slow too: not counted in `excessMs`. */
  readonly noisy: number;
  readonly worstMs: number;
  /** Longest answer of the server beyond that of the control. */
  readonly excessMs: number;
}

export interface Probe {
  readonly pid: number;
  /** Idempotent. */
  end(): Promise<ProbeResult>;
}

export async function startProbe(port: number, controlPort: number): Promise<Probe> {
  // Its input is a pipe: it ends with the parent, however that ends.
  const child = spawn(process.execPath, [PROGRAM, String(port), String(controlPort)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, 'close');
  await once(child, 'spawn');
  let result: Promise<ProbeResult> | undefined;
  const finish = async (): Promise<ProbeResult> => {
    child.stdin.end();
    await closed;
    return JSON.parse(output) as ProbeResult;
  };
  return { pid: child.pid!, end: () => (result ??= finish()) };
}
