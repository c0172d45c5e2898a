import { signal } from '@preact/signals';
import type { StatusAnswer, ValidatorAnswer } from '../client/answers.ts';
import { HttpClient } from '../client/http-client.ts';

/** The node that served this page. Nothing here ever asks another origin. */
export const node = new HttpClient({ baseUrl: location.origin, deadlineMs: 5_000 });

/** What the node last said of itself. */
export const status = signal<StatusAnswer | undefined>(undefined);
export const why = signal('');
/** By index, as the node lists them. */
export const validators = signal<readonly ValidatorAnswer[]>([]);
