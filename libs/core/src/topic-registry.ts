// Which topics this process knows: declared in code or met on the way, each asked of the broker once.
import type { Broker } from './broker.js';
import { InvalidOptionError, TopicError } from './errors.js';
import { topicSpec, type TopicOptions, type TopicSettings, type TopicSpec } from './topic.js';

/** A topic as the senders of this process see it. */
export class TopicEntry {
  /** Known once the broker has answered. */
  settings?: TopicSettings;
  answer?: Promise<TopicSettings>;
  private lastInLine?: Promise<void>;

  /** True when a send may leave at once: the settings are known, and no earlier send still waits for them. */
  get isReady(): boolean {
    return this.settings !== undefined && this.lastInLine === undefined;
  }

  /** Sends made before the settings are known leave in the order they were made: each after its predecessor left. */
  enterLine(): { turn: Promise<void>; leave: () => void } {
    const turn = this.lastInLine ?? Promise.resolve();
    let resolve!: () => void;
    const gone = new Promise<void>((done) => (resolve = done));
    this.lastInLine = gone;
    const leave = (): void => {
      if (this.lastInLine === gone) this.lastInLine = undefined;
      resolve();
    };
    return { turn, leave };
  }
}

export class TopicRegistry {
  private readonly specs = new Map<string, TopicSpec>();
  private readonly entries = new Map<string, TopicEntry>();

  constructor(
    private readonly broker: Broker,
    private readonly autoCreate: boolean,
    /** Called once per topic, when the broker has first answered. */
    private readonly onDeclared: (settings: TopicSettings) => void,
  ) {}

  /** Declares a topic in code; equal declarations may repeat. Throws InvalidOptionError. */
  add(options: TopicOptions): void {
    const spec = topicSpec(options);
    const { topic } = spec;
    const known = this.specs.get(topic);
    if (known && JSON.stringify(known) === JSON.stringify(spec)) return;
    if (known) throw new InvalidOptionError('topic', topic, 'is declared twice with different settings');
    if (this.entries.has(topic))
      throw new InvalidOptionError('topic', topic, 'is in use already; declare it before the first send or start');
    this.specs.set(topic, spec);
  }

  entry(topic: string): TopicEntry {
    let entry = this.entries.get(topic);
    if (!entry) this.entries.set(topic, (entry = new TopicEntry()));
    return entry;
  }

  /** The stored settings. A failure is not remembered: the next call asks again. */
  declare(topic: string): Promise<TopicSettings> {
    const entry = this.entry(topic);
    entry.answer ??= this.ask(topic, entry);
    return entry.answer;
  }

  /** The farthest delay that the topic takes, in ms; asked without creating it, so that a refused call stores nothing. */
  async maxDelayMs(topic: string): Promise<number> {
    const spec = this.specOf(topic);
    try {
      return (await this.broker.declareTopic({ ...spec, autoCreate: false })).maxDelayMs;
    } catch (error) {
      if (error instanceof TopicError && error.code === 'MQ_TOPIC_NOT_FOUND') return spec.maxDelayMs;
      throw error;
    }
  }

  /** The farthest delay as code has it; what is stored may differ when code does not spell it out. */
  expectedMaxDelayMs(topic: string): number {
    return this.specOf(topic).maxDelayMs;
  }

  async declareAll(): Promise<void> {
    await Promise.all([...this.specs.keys()].map((topic) => this.declare(topic)));
  }

  /** Asks the broker again, for a store that may have lost the topic. */
  async redeclare(topic: string): Promise<void> {
    await this.broker.declareTopic(this.specOf(topic));
  }

  private async ask(topic: string, entry: TopicEntry): Promise<TopicSettings> {
    try {
      const settings = await this.broker.declareTopic(this.specOf(topic));
      entry.settings = settings;
      this.onDeclared(settings);
      return settings;
    } catch (error) {
      entry.answer = undefined;
      throw error;
    }
  }

  /** A topic that code declares may always be created; `autoCreate` is about names that nobody declared. */
  private specOf(topic: string): TopicSpec {
    return this.specs.get(topic) ?? topicSpec({ topic }, this.autoCreate);
  }
}
