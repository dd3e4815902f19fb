import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { payload } from './payload.js';

const share = (bytes: Buffer): number => deflateRawSync(bytes, { level: 1 }).length / bytes.length;

describe('contents of the payload sweep', () => {
  it.each([128, 10_240, 102_400])('have exactly %d bytes as they are stored before compression', (size) => {
    const text = payload('text', size);
    expect(Buffer.byteLength(JSON.stringify(text.body))).toBe(size);
    expect(text.bytes).toEqual(Buffer.from(JSON.stringify(text.body)));
    const random = payload('random', size);
    expect(random.bytes).toHaveLength(size);
    expect(random.body).toBe(random.bytes);
  });

  it('compress as texts do, or not at all', () => {
    expect(share(payload('text', 10_240).bytes)).toBeGreaterThan(0.25);
    expect(share(payload('text', 10_240).bytes)).toBeLessThan(0.6);
    expect(share(payload('random', 10_240).bytes)).toBeGreaterThan(0.99);
  });
});
