// Payload types per topic, declared once by the application and checked wherever a topic is named.

/**
 * Extended by applications:
 *
 *     declare module '@millrace/nestjs' {
 *       interface MqTopics { orders: OrderCreated | OrderPaid }
 *     }
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- empty until an application merges its topics into it
export interface MqTopics {}

/** The topic of a destination: `orders` of `orders:created`. */
export type MqTopicOf<Destination extends string> = Destination extends `${infer Topic}:${string}`
  ? Topic
  : Destination;

/** Payload type of a destination; `unknown` for a topic that is not declared. */
export type MqBody<Destination extends string> =
  MqTopicOf<Destination> extends keyof MqTopics ? MqTopics[MqTopicOf<Destination>] : unknown;
