import type { Edit, Setting } from './setting.ts';

/** A situation to be watched, with what one learns of it. The tests play each to its end. */
interface Lesson {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly question: string;
  readonly answer: string;
  readonly setting: Setting;
  /** How far the test plays it, in ms of the run. */
  readonly untilMs: number;
  /** What must be true then. */
  readonly comesTo: {
    /** A promise is broken, and this one. */
    readonly breach?: string;
    /** The highest block that is final anywhere is at least, or at most, this. */
    readonly atLeast?: number;
    readonly atMost?: number;
  };
}

const calm = (changes: Partial<Setting>): Setting => ({
  engine: 'pbft',
  seed: 1,
  plan: 'calm',
  nodes: [null, null, null, null],
  edits: [],
  ...changes,
});

/** Done before the first event. */
const atOnce = (act: Edit['act']): Edit => ({ event: 0, at: 0, act });

export const lessons: readonly Lesson[] = [
  {
    id: 'three-phases',
    title: 'Three phases',
    text: 'The primary proposes a block (pre-prepare). Each node that finds it good tells all others (prepare). Whoever has heard a quorum, 3 of 4, says so (commit), and with a quorum of commits the block is final. Watch one block go by at a slow speed.',
    question: 'Why is one round of votes not enough?',
    answer:
      'After one round a node knows that a quorum accepted the block, but not that others know it. If it made the block final and died, the next primary might hear of no quorum and propose another block. The second round makes sure that enough nodes can prove it.',
    setting: calm({}),
    untilMs: 5_000,
    comesTo: { atLeast: 5 },
  },
  {
    id: 'dead-primary',
    title: 'The primary dies',
    text: 'Node 0 leads view 0. Crash it: the others notice that nothing goes on, suspect it, and move to view 1, in which node 1 leads. What may have become final in view 0 is proven by a quorum of view changes, so nothing is lost.',
    question: 'Crash a second node as well. What happens, and why is that right?',
    answer:
      'Nothing becomes final any more: two of four are no quorum. If two could go on, the other two, merely cut off, could go on as well, and there would be two chains.',
    setting: calm({ edits: [{ event: 400, at: 0, act: { kind: 'crash', node: 0 } }] }),
    untilMs: 15_000,
    comesTo: { atLeast: 8 },
  },
  {
    id: 'no-quorum',
    title: 'Two and two',
    text: 'A cable is cut: nodes 0 and 1 reach each other, and so do 2 and 3. Neither side has a quorum, so both stand, and say what they wait for. Mend the four links, and both go on with one chain.',
    question: 'A shop wants to go on on both sides. What would it have to give up?',
    answer:
      'That both sides agree. While the network is divided one can have answers on both sides, or one truth, and not both (the CAP theorem).',
    setting: calm({
      edits: [
        atOnce({ kind: 'cut', node: 0, other: 2 }),
        atOnce({ kind: 'cut', node: 0, other: 3 }),
        atOnce({ kind: 'cut', node: 1, other: 2 }),
        atOnce({ kind: 'cut', node: 1, other: 3 }),
      ],
    }),
    untilMs: 15_000,
    comesTo: { atMost: 0 },
  },
  {
    id: 'equivocation',
    title: 'A primary that says two things',
    text: 'Node 0 proposes one block to some and another one to others. With four nodes a quorum is three, and any two quorums share two nodes, so at least one honest one, which votes once. So at most one of the blocks can be final, and the two signatures of node 0 are evidence against it.',
    question: 'What does the liar achieve?',
    answer: 'Time: the others change the view. It cannot make two of them disagree.',
    setting: calm({ nodes: ['equivocate', null, null, null] }),
    untilMs: 20_000,
    comesTo: { atLeast: 3 },
  },
  {
    id: 'why-3f-plus-1',
    title: 'Why 3f + 1',
    text: 'The same attack on three nodes. A quorum of three nodes that tolerates none is two, and two quorums may share the liar alone: it votes for both blocks. Watch the promise break, and see who is named.',
    question: 'Would a quorum of all three help?',
    answer:
      'Then nobody could disagree, and one node that is silent would stop the chain for ever. To stand f liars that may also be silent takes n ≥ 3f + 1.',
    setting: calm({ nodes: ['equivocate', null, null], seed: 4 }),
    untilMs: 10_000,
    comesTo: { breach: 'agreement' },
  },
  {
    id: 'raft',
    title: 'Raft: a leader and a majority',
    text: 'Where all operators trust each other, a majority is enough: three nodes stand one that is down. The leader sends entries, and what a majority has stored is committed. Crash the leader, and another is elected after its timeout.',
    question: 'An entry that the leader alone had stored when it died: is it lost?',
    answer:
      'It was never committed, so nobody was told that it was. It may come to be if that node leads again before another entry takes its place, and otherwise it is gone.',
    setting: calm({
      engine: 'raft',
      nodes: [null, null, null],
      edits: [],
    }),
    untilMs: 8_000,
    comesTo: { atLeast: 5 },
  },
  {
    id: 'majority-gone',
    title: 'Raft without a majority',
    text: 'Two of three are down. The one that is left campaigns again and again, and wins nothing: a vote takes two.',
    question: 'It has the whole log. Why may it not go on?',
    answer:
      'It cannot know that the others are down: they may be two that have each other, and go on without it.',
    setting: calm({
      engine: 'raft',
      nodes: [null, null, null],
      edits: [atOnce({ kind: 'crash', node: 1 }), atOnce({ kind: 'crash', node: 2 })],
    }),
    untilMs: 15_000,
    comesTo: { atMost: 0 },
  },
];
