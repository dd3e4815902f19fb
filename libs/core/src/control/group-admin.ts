// What operators order for topics and groups: the part of `BrokerAdmin` that every process then acts on.
import type { GroupState } from './group-state.js';
import type { GroupLimits } from './stored-limits.js';
import type { PauseOptions } from './pause.js';

export interface GroupAdmin {
  /** Members, registered tags, pauses and limits of a group as they are now; undefined when it is not declared. */
  group(topic: string, group: string): Promise<GroupState | undefined>;
  /**
   * Stops consuming in every process, within about a second: nothing is fetched, what waits does not start (its lease is
   * kept), what runs finishes. Stored: it outlives restarts. A second pause of the same scope replaces the first. Throws
   * InvalidOptionError, and TopicError for a topic or group that is not there.
   */
  pause(topic: string, options: PauseOptions): Promise<void>;
  /** Ends the pause of the topic, or of one group; false when it was not paused. The other scope's pause stays. */
  resume(topic: string, options?: { group?: string }): Promise<boolean>;
  /**
   * Stores limits of a group; in force everywhere within about a second, and stronger than the listeners' options. The
   * whole set is replaced: what is left undefined goes back to the options. Throws as `pause` does.
   */
  setLimits(topic: string, group: string, limits: GroupLimits): Promise<void>;
}
