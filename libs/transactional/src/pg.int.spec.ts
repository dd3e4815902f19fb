import { PG } from '../test/adapters/pg.js';
import { relaySuite, transactionalSuite } from '../test/suite.js';

transactionalSuite(PG);
relaySuite(PG);
