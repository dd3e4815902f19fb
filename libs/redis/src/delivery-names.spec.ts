import { describe, expect, it } from '@jest/globals';
import { isEarlier } from './delivery-names.js';

describe('isEarlier', () => {
  const inOrder = ['9-0', '9-1', '9-10', '10-0', '10-2', '10-11', '11-1', '100-0'];

  it('orders entry ids by ms, then by sequence, however many digits either has', () => {
    const shuffled = ['11-1', '9-10', '100-0', '10-11', '9-0', '10-2', '9-1', '10-0'];
    expect(shuffled.toSorted((a, b) => (isEarlier(a, b) ? -1 : 1))).toEqual(inOrder);
  });

  it('does not call an id earlier than itself', () => {
    for (const id of inOrder) expect(isEarlier(id, id)).toBe(false);
  });
});
