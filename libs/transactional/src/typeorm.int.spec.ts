import { TYPEORM_POSTGRES, TYPEORM_MARIADB } from '../test/adapters/typeorm.js';
import { relaySuite, transactionalSuite } from '../test/suite.js';

transactionalSuite(TYPEORM_POSTGRES);
transactionalSuite(TYPEORM_MARIADB);
relaySuite(TYPEORM_POSTGRES);
relaySuite(TYPEORM_MARIADB);
