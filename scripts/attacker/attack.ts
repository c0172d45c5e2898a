import type { Scene } from './scene.ts';

/** One way to harm a chain without a key. */
export interface Attack {
  /** What it sends, in a few words. */
  readonly does: string;
  /** Every connection that does it has to be ended by the node. */
  readonly isCut?: true;
  /** Attacks until the scene is over, with all nodes at once. Never throws on what a node does. */
  readonly run: (scene: Scene) => Promise<void>;
}
