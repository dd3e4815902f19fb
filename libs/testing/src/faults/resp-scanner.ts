// Finds where RESP values end in a stream of chunks, without keeping the bytes: enough to count requests and replies.
// Knows RESP 2 and 3 (https://redis.io/docs/latest/develop/reference/protocol-spec/).

export interface FrameEnd {
  /** Index in the scanned chunk of the first byte after the value. */
  readonly end: number;
  /** An out-of-band push (RESP 3), which answers no request. */
  readonly isPush: boolean;
}

const LF = 0x0a;
const PUSH = '>';
const TYPES = new Set(Buffer.from('+-:_#,($!=*~>%|'));
/** Types whose first line says how many bytes follow, and how many values follow. */
const BULK = '$!=';
const AGGREGATE: Record<string, number> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 };

export class RespScanner {
  /** Values still to come, for each aggregate that is open. */
  private readonly open: number[] = [];
  /** Bytes of a bulk string still to come, with its line end. */
  private skip = 0;
  /** Beginning of a line that the former chunk cut off. */
  private line = '';
  private kind = '';

  /** Ends of the top-level values that are complete with this chunk. Throws when the bytes are not RESP. */
  scan(chunk: Buffer): FrameEnd[] {
    const ends: FrameEnd[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.skip > 0) {
        const skipped = Math.min(this.skip, chunk.length - at);
        this.skip -= skipped;
        at += skipped;
        if (this.skip === 0) this.finishValue(at, ends);
        continue;
      }
      if (this.line === '' && !TYPES.has(chunk[at]!))
        throw new Error(`not RESP: a value begins with byte ${chunk[at]}`);
      const newline = chunk.indexOf(LF, at);
      const stop = newline === -1 ? chunk.length : newline + 1;
      this.line += chunk.toString('latin1', at, stop);
      at = stop;
      if (newline !== -1) this.header(at, ends);
    }
    return ends;
  }

  /** A line is complete: it is a value itself, or says what follows. */
  private header(at: number, ends: FrameEnd[]): void {
    const [type = ''] = this.line;
    const size = Number.parseInt(this.line.slice(1), 10);
    if (this.open.length === 0) this.kind = type;
    this.line = '';
    const perItem = AGGREGATE[type];
    if (perItem !== undefined && size > 0) {
      // An attribute is followed by the value that it describes.
      this.open.push(size * perItem + (type === '|' ? 1 : 0));
    } else if (BULK.includes(type) && size >= 0) {
      this.skip = size + 2;
    } else {
      this.finishValue(at, ends);
    }
  }

  private finishValue(at: number, ends: FrameEnd[]): void {
    while (this.open.length > 0) {
      const left = this.open.pop()! - 1;
      if (left > 0) return void this.open.push(left);
    }
    ends.push({ end: at, isPush: this.kind === PUSH });
  }
}
