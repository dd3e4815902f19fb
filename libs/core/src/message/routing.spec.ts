import { bucketOf, idRecord, keyRecord, queueOf, routeOf } from './routing.js';

describe('routing', () => {
  it.each([
    ['123456789', 0xcbf43926],
    ['a', 0xe8b7be43],
    ['ä', 0x70b5f183],
  ])('of %s goes by its CRC-32 in UTF-8, as in every language', (key, crc) => {
    expect([queueOf(key, 4096), bucketOf(key, 7)]).toEqual([crc % 4096, crc % 7]);
  });

  it('deals queues out to shards in blocks', () => {
    const topic = { shards: 3, queues: 12 };
    for (let index = 0; index < 100; index++) {
      const { shard, queue } = routeOf(`key ${index}`, topic);
      expect(shard * 4 + queue).toBe(queueOf(`key ${index}`, 12));
    }
  });

  it('spreads keys over all queues', () => {
    const counts = Array.from({ length: 8 }, () => 0);
    for (let index = 0; index < 8000; index++) counts[queueOf(`order-${index}`, 8)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1200);
  });

  it('gives every identity its own record, whatever its keys contain', () => {
    const records = [
      keyRecord('a'),
      keyRecord('b', 'a'),
      keyRecord('a:b', 'c'),
      keyRecord('b', 'c:a'),
      keyRecord('1:a:b'),
      idRecord('a'),
    ];
    expect(new Set(records).size).toBe(records.length);
  });
});
