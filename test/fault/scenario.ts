// A scenario sets a stage, makes traffic, lets the nemesis loose and waits for calm; the checker judges.
import type { Stage } from './stage/stage.js';

export interface Scenario {
  /** As in the design: T1 … T23. */
  readonly id: string;
  readonly title: string;
  /** Why it cannot run here or now; undefined when it can. */
  readonly skip?: () => Promise<string | undefined> | string | undefined;
  /** Share of the asked for seconds; some faults need more time to show. @default 1 */
  readonly timeFactor?: number;
  run(stage: Stage): Promise<void>;
}
