// What limits of the group must know of the starts they hold back.

/** What the starts of handlers look like from here. */
export interface StartQueue {
  /** Handlers that run. */
  running(): number;
  /** Handlers that would start now, were it not for limits of the group. */
  wanted(): number;
  /** Tries to start what may start. */
  wake(): void;
}
