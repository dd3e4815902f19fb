// What runs are about: of everything at once too little would happen to any one message.
import type { Arbitrary } from 'fast-check';
import type { BrokerCommand, Weighted } from './command.js';
import { consuming } from './consuming.js';
import { lanes } from './lane.js';
import { aboutDeadLetters, aboutKeys, aboutPauses } from './operating.js';
import { owning } from './owning.js';
import { recalling, sendAny, sendKeyed } from './sending.js';
import { transacting } from './transacting.js';
import { time, trimming } from './upkeep.js';

/** What stands in a list twice is told twice as often. */
const theme = (...parts: Weighted[]): Arbitrary<BrokerCommand>[] =>
  parts.flatMap((part) => part.flatMap(([weight, of]) => Array.from({ length: weight }, () => of)));

export const THEMES = [
  theme(
    [[8, sendAny]],
    recalling,
    transacting,
    consuming,
    owning,
    lanes,
    aboutDeadLetters,
    aboutPauses,
    time,
    trimming,
  ),
  theme([[6, sendAny]], recalling, transacting, consuming, aboutDeadLetters, time, trimming),
  theme([[6, sendKeyed]], owning, lanes, aboutKeys, time),
  theme([[6, sendKeyed]], owning, lanes, aboutKeys, aboutDeadLetters, time, trimming),
];
