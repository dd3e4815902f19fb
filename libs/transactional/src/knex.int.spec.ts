import { KNEX_POSTGRES, KNEX_MARIADB } from '../test/adapters/knex.js';
import { transactionalSuite } from '../test/suite.js';

transactionalSuite(KNEX_POSTGRES);
transactionalSuite(KNEX_MARIADB);
