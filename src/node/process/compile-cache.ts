import { join } from 'node:path';

/**
 * Where Node keeps what it compiled of the sources: beside them, so that only who may
 * change them writes there.
 */
export const compileCache = join(import.meta.dirname, '../../../node_modules/.cache/quorate');
