import { levelPlace, memoryPlace, virtualPlace } from './places.ts';
import { storeContract } from './store-contract.ts';

storeContract('MemoryStore', memoryPlace);
storeContract('level', levelPlace);
storeContract('VirtualDisk', virtualPlace);
