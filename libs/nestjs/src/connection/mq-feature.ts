// What `forFeature` leaves behind: topics, for the root module of their connection to declare. It holds no state, so
// calling it in many modules makes nothing twice.
import type { TopicOptions } from '@millrace/core';

export class MqFeature {
  constructor(
    readonly topics: readonly TopicOptions[],
    readonly connection: string,
  ) {}
}
