import { DRIZZLE_POSTGRES, DRIZZLE_MARIADB } from '../test/adapters/drizzle.js';
import { transactionalSuite } from '../test/suite.js';

transactionalSuite(DRIZZLE_POSTGRES);
transactionalSuite(DRIZZLE_MARIADB);
