import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError } from '../errors.js';
import { durabilityLevel, type Durability } from './durability.js';

describe('durability', () => {
  it.each<[Durability | undefined, unknown]>([
    [undefined, undefined],
    ['memory', undefined],
    ['fsync', { fsync: true, replicas: 0 }],
    [{ replicas: 2 }, { fsync: false, replicas: 2 }],
    [
      { replicas: 1, fsync: true },
      { fsync: true, replicas: 1 },
    ],
  ])('%j is %j', (given, level) => {
    expect(durabilityLevel('send.durability', given)).toEqual(level);
  });

  it.each<[unknown, string]>([
    ['disk', 'send.durability'],
    [1, 'send.durability'],
    [null, 'send.durability'],
    [{}, 'send.durability.replicas'],
    [{ replicas: 0 }, 'send.durability.replicas'],
    [{ replicas: 1.5 }, 'send.durability.replicas'],
    [{ replica: 1 }, 'send.durability.replica'],
    [{ replicas: 1, fsync: 'yes' }, 'send.durability.fsync'],
  ])('%j is refused, naming %s', (given, option) => {
    expect(() => durabilityLevel('send.durability', given)).toThrow(InvalidOptionError);
    expect(() => durabilityLevel('send.durability', given)).toThrow(`${option}:`);
  });
});
