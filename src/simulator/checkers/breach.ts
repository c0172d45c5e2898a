/** What the system promises, and a run checks. */
export type Guarantee =
  /** Two honest nodes never have different final blocks at one height. */
  | 'agreement'
  /** A final block never changes, and is never forgotten once it was stored. */
  | 'finality'
  /** Each block names its parent, and its roots are what its transactions do. */
  | 'validity'
  /** No transaction takes effect twice, and no coin is made or lost. */
  | 'exactly-once'
  /** The indexes say what a look through all blocks says: never behind the head, nor ahead of it. */
  | 'indexes'
  /** What makes a block final proves it. */
  | 'certificate'
  /** A block that may have been committed stays under every later certificate. */
  | 'protection'
  /** No honest validator signs a contradiction, not even across restarts. */
  | 'no-contradiction'
  /** Who votes on a block is what the chain decided, and an epoch ends with its last block. */
  | 'epoch'
  /** Nobody honest is accused or punished. */
  | 'innocence'
  /** Memory, and what events make of each other, stay within their bounds. */
  | 'bounds'
  /** No node stops over a broken promise of its own. */
  | 'integrity'
  /** What clients saw acknowledged is there, and reads are not older than that. */
  | 'linearizability'
  /** Each correct replica does what the protocol asks of it, whether or not others make up for it. */
  | 'duty'
  /** What a node vouches for is on its disk. */
  | 'durability'
  /** After healing, everything submitted becomes final in time, and what never can be is gone. */
  | 'progress';

/** A guarantee that did not hold. It ends the run; no code of the node catches it. */
export class Breach extends Error {
  override readonly name = 'Breach';
  readonly guarantee: Guarantee;

  constructor(guarantee: Guarantee, message: string) {
    super(message);
    this.guarantee = guarantee;
  }
}

/** Ends the run unless the condition holds. */
export function promise(condition: boolean, guarantee: Guarantee, describe: () => string): asserts condition {
  if (!condition) throw new Breach(guarantee, describe());
}
