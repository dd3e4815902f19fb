// The probe as its parent sees it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./ping-probe.js', import.meta.url));

export interface ProbeResult {
  readonly pings: number;
  /** Longest answer. */
  readonly worstMs: number;
  /** The same without the time for which server and probe waited for a processor. */
  readonly stallMs: number;
}

export interface Probe {
  /** Idempotent. */
  end(): Promise<ProbeResult>;
}

/** @param server its port and process @param program compiled, where it is not beside this file */
export async function startProbe(
  { port, pid }: { port: number; pid: number },
  program: string = PROGRAM,
): Promise<Probe> {
  // Its input is a pipe: it ends with the parent, however that ends.
  const child = spawn(process.execPath, [program, String(port), String(pid)], {
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
  return { end: () => (result ??= finish()) };
}
