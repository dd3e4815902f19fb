// Entry of `@millrace/testing/contract`: the suite that every broker has to pass. Needs Jest.
export { describeBrokerContract } from './broker-contract.js';
export {
  ALL_CONTRACT_FEATURES,
  CONTRACT_FEATURES,
  type ContractFeature,
  type ContractFeatures,
  type ContractSubject,
} from './contract-subject.js';
export { eventually, type EventuallyOptions } from './eventually.js';
export { realTime } from './real-time.js';
