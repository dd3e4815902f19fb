// Who comes to the sale, and with what in mind. Everything follows from the buyer's number, so that two runs with the
// same flags bring the same crowd.

export type Intent = 'pays' | 'pays-at-the-last-moment' | 'never-pays';

export interface Buyer {
  number: number;
  id: string;
  /** Clicks on "buy": two at once, a third when the ticket is decided. People are impatient. */
  clicks: 1 | 2 | 3;
  intent: Intent;
  /** Pays every order twice, as who reloads the page does. */
  paysTwice: boolean;
}

/** Three of ten never pay, one of ten pays when the window closes: a race with the time-out that either may win. */
export function buyer(number: number): Buyer {
  const digit = number % 10;
  return {
    number,
    id: `buyer-${number}`,
    clicks: number % 5 === 2 ? 2 : number % 5 === 4 ? 3 : 1,
    intent: [0, 4, 6].includes(digit) ? 'never-pays' : digit === 9 ? 'pays-at-the-last-moment' : 'pays',
    paysTwice: digit === 1,
  };
}
