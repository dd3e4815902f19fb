import { InvalidOptionError } from '../errors.js';
import { parseDestination } from './destination.js';

describe('destination', () => {
  it.each([
    ['orders', 'orders', ''],
    ['orders:created', 'orders', 'created'],
    ['orders:a:b', 'orders', 'a:b'],
  ])('%s is topic %s with tag "%s"', (destination, topic, tag) => {
    expect(parseDestination(destination)).toEqual({ topic, tag });
  });

  it.each(['', ':created', 'orders:', 'or ders', 'orders:a b', 'orders:a||b', 'orders:*', 7, undefined])(
    '%p is refused before anything is stored',
    (destination) => {
      expect(() => parseDestination(destination)).toThrow(InvalidOptionError);
      expect(() => parseDestination(destination)).toThrow(expect.objectContaining({ option: 'send.destination' }));
    },
  );
});
