// One server process and its life: start, stop, kill, pause, resume, restart. Knows neither Redis nor PostgreSQL.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { cleanUpAtExit, withParentDeathSignal } from './die-with-parent.js';
import { ServerStartError } from './server-errors.js';

const OUTPUT_KEPT = 16_384;

export interface ServerCommand {
  /** For messages. */
  name: string;
  bin: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** What the server writes once it accepts connections. */
  ready: RegExp;
  /** Ends the server in good order. */
  stopSignal: NodeJS.Signals;
  /** Ends the server at once, as a crash would. */
  killSignal: NodeJS.Signals;
  /** Removed by `stop()` and at exit. */
  temporaryFolder?: string;
  startTimeoutMs?: number;
  stopTimeoutMs?: number;
}

export class ServerProcess {
  private child: ChildProcess | undefined;
  private stopped = false;
  private output = '';
  private readonly leftover: { pid?: number; folder?: string };
  private readonly forget: () => void;

  constructor(private readonly command: ServerCommand) {
    this.leftover = { folder: command.temporaryFolder };
    this.forget = cleanUpAtExit(this.leftover);
  }

  /** The process id of the running server; changes with `restart()`. */
  get pid(): number {
    if (!this.child?.pid) throw new Error(`${this.command.name} is not running`);
    return this.child.pid;
  }

  /** Resolves once the server accepts connections. */
  async start(): Promise<void> {
    const { name, env, cwd, uid, gid, ready, startTimeoutMs = 30_000 } = this.command;
    const [bin, args] = withParentDeathSignal(this.command.bin, this.command.args);
    this.output = '';
    const child = spawn(bin, args, { env, cwd, uid, gid, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.leftover.pid = child.pid;
    child.once('exit', () => {
      if (this.child !== child) return;
      this.child = undefined;
      this.leftover.pid = undefined;
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string): void => reject(new ServerStartError(name, reason, this.output));
      const timer = setTimeout(() => fail(`was not ready after ${startTimeoutMs} ms`), startTimeoutMs);
      const settle = (): void => clearTimeout(timer);
      const read = (chunk: Buffer): void => {
        this.output = (this.output + chunk.toString()).slice(-OUTPUT_KEPT);
        if (ready.test(this.output)) resolve(settle());
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('error', (error) => fail(`cannot be run: ${error.message}`));
      // 'close' comes after 'exit' and after the last output, so the reason is complete.
      child.once('close', (code, signal) => fail(`ended with ${signal ?? code} before it was ready`));
      child.once('close', settle);
    }).catch(async (error: unknown) => {
      await this.kill();
      throw error;
    });
    // A server nobody stops must not keep the program running: the exit hook ends it.
    child.unref();
    for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  }

  /** Ends the server in good order and removes its temporary folder. Final. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.end(this.command.stopSignal);
    if (this.command.temporaryFolder) rmSync(this.command.temporaryFolder, { recursive: true, force: true });
    this.forget();
  }

  /** Ends the server as a crash would and waits until it is gone; `restart()` brings it back. */
  async kill(): Promise<void> {
    await this.end(this.command.killSignal);
  }

  /** Freezes the process: connections stay open, nothing answers. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends the server in good order if it runs, and starts it again with the same port, folder and arguments. */
  async restart(): Promise<void> {
    if (this.stopped) throw new Error(`${this.command.name} was stopped for good; start a new one`);
    await this.end(this.command.stopSignal);
    await this.start();
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT'); // a paused process would not see the signal
    const timer = setTimeout(() => child.kill('SIGKILL'), this.command.stopTimeoutMs ?? 10_000);
    await gone.finally(() => clearTimeout(timer));
  }
}
