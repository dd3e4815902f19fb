// The promises of the port as cases: the same for every implementation, so that a test on memory says something of
// Redis. One file per behaviour; the names read as the guarantees page.
import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import type { TopicOptions } from '@millrace/core';
import {
  CONTRACT_FEATURES,
  type ContractFeature,
  type ContractFeatures,
  type ContractSubject,
} from './contract-subject.js';
import { broadcastCases } from './broadcast.cases.js';
import { cancelCases } from './cancel.cases.js';
import { deadLetterCases } from './dead-letter.cases.js';
import { deadLetterEditCases } from './dead-letter-edit.cases.js';
import { deadLetterFeedCases } from './dead-letter-feed.cases.js';
import { deadLetterListCases } from './dead-letter-list.cases.js';
import { dedupCases } from './dedup.cases.js';
import { delayCases } from './delay.cases.js';
import { fenceCases } from './fence.cases.js';
import { halfCases } from './half.cases.js';
import { maxLengthCases } from './max-length.cases.js';
import { idleGroupCases } from './idle-group.cases.js';
import { onceCases } from './once.cases.js';
import { orderedLeaseCases } from './ordered-lease.cases.js';
import { orderedReadCases } from './ordered-read.cases.js';
import { parkedAdminCases } from './parked-admin.cases.js';
import { parkedKeyCases } from './parked-key.cases.js';
import { pauseCases } from './pause.cases.js';
import { rateCases } from './rate.cases.js';
import { receiveCases } from './receive.cases.js';
import { reclaimCases } from './reclaim.cases.js';
import { redriveCases } from './redrive.cases.js';
import { releaseCases } from './release.cases.js';
import { replayCases } from './replay.cases.js';
import { retryCases } from './retry.cases.js';
import { Scene } from './scene.js';
import { scheduledCases } from './scheduled.cases.js';
import { scheduleCases } from './schedule.cases.js';
import { sendCases } from './send.cases.js';
import { settleCases } from './settle.cases.js';
import { slotsCases } from './slots.cases.js';
import { statsCases } from './stats.cases.js';
import { tagsCases } from './tags.cases.js';
import { topicCases } from './topic.cases.js';
import { trimCases } from './trim.cases.js';
import { trimPropertyCases } from './trim-property.cases.js';
import { waitCases } from './wait.cases.js';

/** What a file of cases gets. */
export interface ContractKit {
  /** A case. With a feature: only when the implementation offers it, else it is listed as not run. */
  promise(name: string, body: () => Promise<void>, feature?: ContractFeature): void;
  /** A stage with a topic of its own; closed after the case. */
  scene(options?: Omit<TopicOptions, 'topic'>): Promise<Scene>;
  /** A second storage, as empty and as separate as the first. */
  otherSubject(): Promise<ContractSubject>;
}

/**
 * Registers the contract suite as a `describe` block.
 *
 * @param name of the implementation
 * @param open opens an empty storage; each call another one
 * @param features which of the optional promises are kept; those that are not are printed with their cases
 */
export function describeBrokerContract(
  name: string,
  open: () => Promise<ContractSubject>,
  features: ContractFeatures,
): void {
  describe(`broker contract: ${name}`, () => {
    const notRun: { feature: ContractFeature; name: string }[] = [];
    const subjects: ContractSubject[] = [];
    let scenes: Scene[] = [];

    beforeAll(async () => void subjects.push(await open()));
    afterEach(async () => {
      await Promise.all(scenes.map((scene) => scene.close()));
      scenes = [];
    });
    afterAll(async () => {
      await Promise.all(subjects.map((subject) => subject.close()));
      process.stdout.write(featureTable(name, features, notRun));
    });

    const kit: ContractKit = {
      promise(sentence, body, feature) {
        if (feature === undefined || features[feature]) return it(sentence, body);
        notRun.push({ feature, name: sentence });
        // Counted as skipped by the runner too, and printed in the table: never passed over in silence.
        it.skip(sentence, body);
      },
      async scene(options) {
        const scene = await Scene.open(subjects[0]!, options);
        scenes.push(scene);
        return scene;
      },
      async otherSubject() {
        const subject = await open();
        subjects.push(subject);
        return subject;
      },
    };

    describe('topics and groups', () => topicCases(kit));
    describe('send', () => sendCases(kit));
    describe('dedup', () => dedupCases(kit));
    describe('delay', () => delayCases(kit));
    describe('cancel and reschedule', () => cancelCases(kit));
    describe('half messages', () => halfCases(kit));
    describe('messages that wait', () => scheduledCases(kit));
    describe('receive', () => receiveCases(kit));
    describe('wait', () => waitCases(kit));
    describe('settle', () => settleCases(kit));
    describe('retry', () => retryCases(kit));
    describe('release', () => releaseCases(kit));
    describe('reclaim', () => reclaimCases(kit));
    describe('fence', () => fenceCases(kit));
    describe('idempotency', () => onceCases(kit));
    describe('queue leases', () => orderedLeaseCases(kit));
    describe('ordered reading', () => orderedReadCases(kit));
    describe('tags of a group', () => tagsCases(kit));
    describe('pause and limits', () => pauseCases(kit));
    describe('parked keys', () => parkedKeyCases(kit));
    describe('parked keys and operators', () => parkedAdminCases(kit));
    describe('rate of a group', () => rateCases(kit));
    describe('concurrency of a group', () => slotsCases(kit));
    describe('idle groups', () => idleGroupCases(kit));
    describe('recurring messages', () => scheduleCases(kit));
    describe('broadcast', () => broadcastCases(kit));
    describe('dead letters', () => deadLetterCases(kit));
    describe('listing dead letters', () => deadLetterListCases(kit));
    describe('editing dead letters', () => deadLetterEditCases(kit));
    describe('telling of dead letters', () => deadLetterFeedCases(kit));
    describe('redrive', () => redriveCases(kit));
    describe('max length', () => maxLengthCases(kit));
    describe('replay', () => replayCases(kit));
    describe('trim', () => trimCases(kit));
    describe('trim, at random', () => trimPropertyCases(kit));
    describe('stats', () => statsCases(kit));
  });
}

function featureTable(name: string, features: ContractFeatures, notRun: { feature: string; name: string }[]): string {
  const rows = Object.entries(CONTRACT_FEATURES).flatMap(([feature, promised]) => [
    `  ${features[feature as ContractFeature] ? 'yes' : 'NO '}  ${feature.padEnd(20)} ${promised}`,
    ...notRun.filter((one) => one.feature === feature).map((one) => `         not run: ${one.name}`),
  ]);
  return [`\nfeatures of ${name}:`, ...rows, ''].join('\n');
}
