import { levelPlace, memoryPlace } from './places.ts';
import { storeContract } from './store-contract.ts';

storeContract('MemoryStore', memoryPlace);
storeContract('level', levelPlace);
