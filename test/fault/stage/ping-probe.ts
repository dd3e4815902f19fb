// Asks a server every millisecond whether it is there, in a process of its own so that nothing else delays it:
//
//   node ping-probe.js <port> <pid of the server>
//
// Prints one JSON line when its input ends. On a busy machine a server waits for the processor: the kernel knows how long
// (schedstat), and that time is no stall of the server's own making; nor is the time for which the probe itself waited.
import { closeSync, openSync, readSync } from 'node:fs';
import { connect } from 'node:net';

const EVERY_MS = 1;
/** Below this nobody needs to know whose fault it was. */
const WORTH_ASKING_MS = 5;
const PING = 'PING\r\n';
const PONG_BYTES = '+PONG\r\n'.length;

/** How long the main thread of a process has waited for a processor so far, in ms; 0 where the kernel does not tell. */
class WaitingTime {
  private readonly file: number | undefined;
  private readonly text = Buffer.alloc(96);

  constructor(pid: number) {
    try {
      this.file = openSync(`/proc/${pid}/task/${pid}/schedstat`, 'r');
    } catch {
      this.file = undefined;
    }
  }

  read(): number {
    if (this.file === undefined) return 0;
    const length = readSync(this.file, this.text, 0, this.text.length, 0);
    return Number(this.text.toString('latin1', 0, length).split(' ')[1]) / 1e6;
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
  }
}

const [port = 0, pid = 0] = process.argv.slice(2).map(Number);
const [server, self] = [new WaitingTime(pid), new WaitingTime(process.pid)];
const waited = (): number => server.read() + self.read();
const rounded = (ms: number): number => Number(ms.toFixed(1));

const asked: { at: number; waited: number }[] = [];
let [answered, bytes, worst, stall] = [0, 0, 0, 0];
const socket = connect({ host: '127.0.0.1', port, noDelay: true });
socket.on('data', (chunk) => {
  for (bytes += chunk.length; bytes >= PONG_BYTES; bytes -= PONG_BYTES) judge(asked[answered++]!);
});

function judge(ping: { at: number; waited: number }): void {
  const ms = performance.now() - ping.at;
  worst = Math.max(worst, ms);
  stall = Math.max(stall, ms > WORTH_ASKING_MS ? ms - (waited() - ping.waited) : ms);
}

const timer = setInterval(() => {
  asked.push({ at: performance.now(), waited: waited() });
  socket.write(PING);
}, EVERY_MS);

process.stdin.resume().once('end', () => {
  clearInterval(timer);
  // A server that has just begun to answer again: the end may be heard of before its answers.
  const unanswered = asked[answered];
  if (unanswered) judge(unanswered);
  socket.destroy();
  server.close();
  self.close();
  process.stdout.write(`${JSON.stringify({ pings: answered, worstMs: rounded(worst), stallMs: rounded(stall) })}\n`);
});
