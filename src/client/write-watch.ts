/** What is known of one request while it is under way. */
interface Watched {
  /** Node's fetch told that it made it, so that it would tell as well when it writes it. */
  isMade: boolean;
  isWritten: boolean;
}

/** The parts of Node's modules that are used here; in browsers there are none. */
interface Modules {
  readonly 'node:async_hooks': { readonly AsyncLocalStorage: new () => Context };
  readonly 'node:diagnostics_channel': {
    subscribe(name: string, listener: (message: unknown) => void): void;
  };
}

interface Context {
  run<T>(watched: Watched, call: () => T): T;
  getStore(): Watched | undefined;
}

const { process } = globalThis as {
  readonly process?: {
    readonly getBuiltinModule?: <Name extends keyof Modules>(name: Name) => Modules[Name] | undefined;
  };
};

const context = contextOf();

/** Fetch in Node tells of its requests to whoever subscribes (undici, "Diagnostics Channel Support"). */
function contextOf(): Context | undefined {
  const hooks = process?.getBuiltinModule?.('node:async_hooks');
  const channels = process?.getBuiltinModule?.('node:diagnostics_channel');
  if (hooks === undefined || channels === undefined) return undefined;
  const made = new WeakMap<object, Watched>();
  const found = new hooks.AsyncLocalStorage();
  channels.subscribe('undici:request:create', (message) => {
    const watched = found.getStore();
    if (watched === undefined) return;
    watched.isMade = true;
    made.set((message as { readonly request: object }).request, watched);
  });
  channels.subscribe('undici:client:sendHeaders', (message) => {
    const watched = made.get((message as { readonly request: object }).request);
    if (watched !== undefined) watched.isWritten = true;
  });
  return found;
}

/**
 * Makes a request by `fetch`. Until `isCertainlyUnsent` says no, nothing of it was written to any connection:
 * none stood, and whoever was asked cannot have taken it. The names of errors do not tell that: with most of
 * them a connection may begin as well as end. Where it is not known (browsers), it always says no.
 */
export function watchedFetch(fetch: () => Promise<Response>): {
  readonly response: Promise<Response>;
  readonly isCertainlyUnsent: () => boolean;
} {
  const watched: Watched = { isMade: false, isWritten: false };
  const response = context === undefined ? fetch() : context.run(watched, fetch);
  return { response, isCertainlyUnsent: () => watched.isMade && !watched.isWritten };
}
