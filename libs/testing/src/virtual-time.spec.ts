import { describeVirtualTime } from '../test/virtual-time.cases.js';
import { InMemoryStore } from './in-memory/in-memory-store.js';

describeVirtualTime('in memory', (clock) => ({ store: new InMemoryStore({ clock }) }));
