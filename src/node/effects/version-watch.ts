import type { BlockHeader } from '../../ledger/block.ts';
import type { FinalBlock } from './chain.ts';
import { type UnknownVersion, unknownVersionAfter, unknownVersionProblem } from './upcoming.ts';
import type { Logger } from '../process/log.ts';
import type { Problem } from '../../base/problem.ts';

/** Looks ahead for rules that this program does not know: says so in time, and ends the node before them. */
export class VersionWatch {
  /** The newest protocol version that is known. */
  readonly known: number;
  readonly #final: () => FinalBlock;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #end: (problem: Problem) => never;
  #unknown: UnknownVersion | undefined;

  constructor(options: {
    readonly known: number;
    readonly final: () => FinalBlock;
    readonly log: Pick<Logger, 'warn'>;
    /** Ends the turn and the node. */
    readonly end: (problem: Problem) => never;
  }) {
    this.known = options.known;
    this.#final = options.final;
    this.#log = options.log;
    this.#end = options.end;
  }

  /** What was decided and is not known; undefined as long as the node can go on. */
  get unknown(): UnknownVersion | undefined {
    return this.#unknown;
  }

  /** For those who ask what the node waits for. */
  sentences(): readonly string[] {
    if (this.#unknown === undefined) return [];
    const { message } = unknownVersionProblem(this.#unknown);
    return [`${message}: this node stops before it`];
  }

  /** To be called when the node starts and with each final block. */
  look(): void {
    const final = this.#final();
    const before = this.#unknown;
    this.#unknown = unknownVersionAfter(final, this.known);
    if (this.#unknown === undefined) return;
    const { version, height } = this.#unknown;
    const problem = unknownVersionProblem(this.#unknown);
    if (height <= final.height + 1) this.#end(problem);
    if (before?.version === version && before.height === height) return;
    const { code, message, remedy } = problem;
    this.#log.warn('a protocol version that this program does not know was decided', {
      code,
      reason: message,
      remedy,
    });
  }

  /** A block of an unknown version became final elsewhere, or its state is offered as a snapshot. */
  refuse({ height, protocolVersion }: Pick<BlockHeader, 'height' | 'protocolVersion'>): void {
    const { known } = this;
    if (protocolVersion <= known) return;
    this.#end(unknownVersionProblem({ version: protocolVersion, height, known }));
  }
}
