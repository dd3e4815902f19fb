import { describe, expect, it } from '@jest/globals';
import { FlagError, parseFlags } from './flags.js';

describe('the command line of the demo', () => {
  it('has a default for everything', () => {
    expect(parseFlags([])).toEqual({
      buyers: 2000,
      stock: 100,
      timeoutMs: 5000,
      check: false,
      serve: false,
      help: false,
      json: undefined,
      sabotage: undefined,
    });
  });

  it('reads every flag, with = or a space', () => {
    expect(
      parseFlags([
        '--buyers',
        '20000',
        '--stock=500',
        '--timeout',
        '800ms',
        '--check',
        '--serve',
        '--json',
        'out.json',
        '--sabotage=lose',
      ]),
    ).toEqual({
      buyers: 20_000,
      stock: 500,
      timeoutMs: 800,
      check: true,
      serve: true,
      help: false,
      json: 'out.json',
      sabotage: 'lose',
    });
  });

  it.each([
    [['--buyer', '5'], 'unknown flag --buyer; did you mean --buyers?'],
    [['--chek'], 'unknown flag --chek; did you mean --check?'],
    [['--verbose-everything'], 'unknown flag --verbose-everything'],
    [['-c'], 'unknown flag -c'],
    [['20000'], "unexpected argument '20000'"],
    [['--buyers'], '--buyers needs a value'],
    [['--json', '--check'], '--json needs a value'],
    [['--buyers='], '--buyers needs a value'],
    [['--check=yes'], '--check takes no value'],
    [['--buyers', 'many'], '--buyers must be a whole number from 1 to 200000 (given: many)'],
    [['--buyers', '0'], '--buyers must be a whole number from 1 to 200000 (given: 0)'],
    [['--stock', '1.5'], '--stock must be a whole number from 1 to 100000 (given: 1.5)'],
    [['--timeout', 'soon'], '--timeout: a duration is'],
    [['--timeout', '1ms'], '--timeout must be from 100ms to 10m (given: 1ms)'],
    [
      ['--sabotage', 'lost'],
      '--sabotage must be one of oversell, lose, double-return (given: lost); did you mean lose?',
    ],
  ])('refuses %j', (args, message) => {
    expect(() => parseFlags(args)).toThrow(FlagError);
    expect(() => parseFlags(args)).toThrow(message);
  });
});
