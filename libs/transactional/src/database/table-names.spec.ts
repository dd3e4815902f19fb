import { tableNames } from './table-names.js';

describe('the table prefix', () => {
  it('is mq_ unless another one is given', () => {
    expect(tableNames()).toMatchObject({
      outbox: 'mq_outbox',
      inbox: 'mq_inbox',
      schema: 'mq_schema',
      channel: 'mq_outbox',
    });
    expect(tableNames('shop_').cancel).toBe('shop_outbox_cancel');
  });

  it.each([
    '',
    'Shop_',
    '1shop',
    'shop-',
    'a b',
    'x; drop table orders; --',
    'shop.',
    '"',
    `'`,
    'a'.repeat(31),
    null,
    7,
  ])('is refused when it is %j, because it becomes part of SQL text', (prefix) => {
    expect(() => tableNames(prefix)).toThrow(expect.objectContaining({ code: 'MQ_INVALID_OPTION' }));
  });
});
