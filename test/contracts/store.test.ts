import { levelPlace, memoryPlace, virtualPlace } from '../storage/places.ts';
import { storeContract } from './store.ts';

storeContract('MemoryStore', memoryPlace);
storeContract('level', levelPlace);
storeContract('VirtualDisk', virtualPlace);
