import type { ComponentChildren, JSX } from 'preact';

/** Marks what a node tells of its own sight of things: nothing could prove it. */
export function SeenHere({ children }: { children?: ComponentChildren }): JSX.Element {
  return (
    <p class="word">One node’s word: what this node saw since it started, by its own clock. {children}</p>
  );
}
