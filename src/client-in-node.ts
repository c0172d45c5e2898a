import { useNativeEd25519 } from './crypto/native-ed25519.ts';
import { useNativeHash } from './crypto/native-hash.ts';

/**
 * The client's door for programs in Node (`package.json`): the same as that of browsers, on the faster
 * libraries that Node can load.
 */
export * from './client/index.ts';

useNativeHash();
useNativeEd25519();
