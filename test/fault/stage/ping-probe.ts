// Asks two servers every millisecond whether they are there, in a process of its own so that nothing else delays it:
//
//   node ping-probe.js <port> <control port>
//
// Prints one JSON line when its input ends.
import { connect, type Socket } from 'node:net';

const EVERY_MS = 1;
/** A control that takes longer shows a busy machine, not a busy server. */
const NOISE_MS = 5;
const PING = 'PING\r\n';
const PONG_BYTES = '+PONG\r\n'.length;

class Line {
  /** Answer times in ms, in the order of the pings. */
  readonly answers: number[] = [];
  private readonly asked: number[] = [];
  private bytes = 0;
  private readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk) => {
      const now = performance.now();
      for (this.bytes += chunk.length; this.bytes >= PONG_BYTES; this.bytes -= PONG_BYTES)
        this.answers.push(now - this.asked[this.answers.length]!);
    });
  }

  ping(): void {
    this.asked.push(performance.now());
    this.socket.write(PING);
  }

  end(): void {
    this.socket.destroy();
  }
}

const rounded = (ms: number): number => Number(ms.toFixed(1));

const [server, control] = process.argv.slice(2).map((port) => new Line(Number(port))) as [Line, Line];
const timer = setInterval(() => {
  server.ping();
  control.ping();
}, EVERY_MS);

process.stdin.resume().once('end', () => {
  clearInterval(timer);
  server.end();
  control.end();
  const pings = Math.min(server.answers.length, control.answers.length);
  let [worst, excess, noisy] = [0, 0, 0];
  for (let at = 0; at < pings; at++) {
    const [ms, controlMs] = [server.answers[at]!, control.answers[at]!];
    worst = Math.max(worst, ms);
    if (controlMs > NOISE_MS) noisy++;
    else excess = Math.max(excess, ms - controlMs);
  }
  process.stdout.write(`${JSON.stringify({ pings, noisy, worstMs: rounded(worst), excessMs: rounded(excess) })}\n`);
});
