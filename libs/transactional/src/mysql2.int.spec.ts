import { MYSQL2 } from '../test/adapters/mysql2.js';
import { relaySuite, transactionalSuite } from '../test/suite.js';

transactionalSuite(MYSQL2);
relaySuite(MYSQL2);
