// A broadcast instance is no member of a group: no pause or limit of one holds it back, no other takes its messages.
import type { DispatcherParts } from '../consumer/dispatcher.js';
import { ConsumePause } from '../control/consume-pause.js';
import { TagUnion } from '../control/tag-union.js';
import type { MqEvents } from '../events.js';
import type { BroadcastSpec } from './broadcast-reader.js';

export function nobodysMember(
  { topic, group }: BroadcastSpec,
  events: MqEvents,
): Pick<DispatcherParts, 'pause' | 'tags' | 'admission'> {
  return {
    pause: new ConsumePause({ topic, group, events, resumed: () => undefined }),
    tags: new TagUnion(''),
    admission: {
      isLimited: false,
      guard: () => undefined,
      enter: () => true,
      hasRoom: () => true,
      undo: () => undefined,
      left: () => undefined,
    },
  };
}
