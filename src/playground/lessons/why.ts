import { at, between, type Lesson, quiet, raftOf } from './lesson.ts';

/** What makes agreement hard. */
export const problem: Lesson = {
  id: 'problem',
  title: 'The problem',
  sources: [
    'Lamport, Shostak, Pease: The Byzantine Generals Problem (1982), sections 1 and 2',
    'Schneider: Implementing Fault-Tolerant Services Using the State Machine Approach (1990), section 2',
  ],
  text: [
    'Several machines shall keep one list in the same order, although some of them stop, messages are late, and perhaps some machines lie. Whoever was told “it is written” must find it written, wherever they ask later.',
    'To pick a leader is not enough. It may die with what only it has, or be thought dead while it lives: then there are two. To take a vote is not enough either. A vote can be split, its result can be known to one machine that dies, and a liar can vote twice.',
  ],
  scene: {
    name: 'A leader that dies with the only copy',
    see: 'Node 1 leads, and its line breaks. A client gives it x = 5, and it is killed before anybody else has heard of that. The other two choose a leader and know of no x, and when node 1 is back, it gives up its own. Nobody had told the client that x was final, so no promise is broken. A leader that had said “done” by itself would have lied.',
    setting: quiet({
      ...raftOf(3),
      edits: [
        ...at(1_900, ...between('cut', [1], [0, 2])),
        ...at(2_000, { kind: 'write', node: 1, value: 5 }),
        ...at(2_300, { kind: 'crash', node: 1 }),
        ...at(5_500, { kind: 'start', node: 1 }, ...between('mend', [1], [0, 2])),
      ],
    }),
    untilMs: 8_000,
    comesTo: { x: [null, null, null], log: ['x = 5: taken, not final yet', 'node 1 is killed', 'leading'] },
  },
  question: 'Then let three machines vote, and two of three decide. What can one that lies do?',
  answer:
    'Vote twice. It tells each of the others that it is of their opinion, and both have two of three. The scene shows it: two blocks are final at one height, and node 0 signed for both.',
  tries: [
    {
      name: 'Two of three, and one lies',
      see: 'Node 0 proposes one block to node 1 and another one to node 2, and votes for both. The run ends with a broken promise.',
      setting: { ...quiet({ nodes: ['equivocate', null, null] }), load: 'steady', seed: 4 },
      untilMs: 10_000,
      comesTo: { breach: { guarantee: 'agreement', signedBoth: [0] } },
    },
  ],
};

const heldFrom = at(1_000, { kind: 'hold', what: 'pre-prepare' }, { kind: 'write', node: 2, value: 5 });

export const flp: Lesson = {
  id: 'flp',
  title: 'FLP: safe, and stuck',
  sources: [
    'Fischer, Lynch, Paterson: Impossibility of Distributed Consensus with One Faulty Process (1985), section 3',
    'Dwork, Lynch, Stockmeyer: Consensus in the Presence of Partial Synchrony (1988), section 1',
    'Castro, Liskov: Practical Byzantine Fault Tolerance (1999), sections 3 and 4.5.2',
  ],
  text: [
    'If messages may take any time, nobody can tell a dead machine from a slow one. Fischer, Lynch and Paterson showed what follows: a protocol without chance that stands even one crash has a run in which it never decides. An adversary needs only to delay the right message each time.',
    'So a protocol has to choose what it never gives up. PBFT and Raft never give up safety. They go on when messages come in time, and wait while they do not. Each view of PBFT waits twice as long as the one before, so that some view is long enough once they come at all.',
  ],
  scene: {
    name: 'An adversary that delays the decisive message for ever',
    see: 'Every proposal is held back, whoever leads. The views change, each lasts longer than the one before, and nothing is decided. Nothing wrong is decided either.',
    setting: quiet({ edits: heldFrom }),
    untilMs: 20_000,
    comesTo: { x: [null, null, null, null], blocks: [0, 0], log: ['leave-view', 'leave-view', 'leave-view'] },
  },
  question: 'What does it take to be done: another protocol, or another network?',
  answer:
    'A network that brings messages in time for a while. No cleverer protocol helps: that is the theorem, and it says it of protocols that neither throw dice nor know bounds on time. (Its adversary is gentler than this one, too: every message arrives in the end, only never in time.) Release the proposals, and x = 5 is final a quarter of a second later.',
  tries: [
    {
      name: 'Messages arrive again',
      see: 'The adversary gives up after 20 seconds. The present view decides.',
      setting: quiet({ edits: [...heldFrom, ...at(20_000, { kind: 'release', what: 'pre-prepare' })] }),
      untilMs: 24_000,
      comesTo: { x: [5, 5, 5, 5], blocks: [1, 1] },
    },
  ],
};

const cutOff = [
  ...at(1_800, { kind: 'write', node: 0, value: 1 }),
  ...at(2_500, ...between('cut', [0, 1], [2, 3, 4])),
  ...at(
    5_000,
    { kind: 'write', node: 0, value: 5 },
    { kind: 'read', node: 0 },
    { kind: 'write', node: 2, value: 7 },
  ),
];

export const cap: Lesson = {
  id: 'cap',
  title: 'CAP: a cable is cut',
  sources: [
    'Gilbert, Lynch: Brewer’s Conjecture and the Feasibility of Consistent, Available, Partition-Tolerant Web Services (2002), section 3',
    'Ongaro: Consensus: Bridging Theory and Practice (2014), sections 6.2 and 6.4',
  ],
  text: [
    'While a network is divided, a service can answer on both sides, or have one truth, and not both. Which machines would answer wrongly they cannot know: the other side may be dead, or only out of reach.',
    'Here the side with a majority goes on. The other one refuses what it cannot make final, says why, and marks what it reads as stale: true once, and perhaps not any more. When the cable is mended, it catches up by itself.',
  ],
  scene: {
    name: 'Two of five are cut off, with the leader',
    see: 'Node 1 leads and is cut off with node 0. It steps down when it has heard no majority for a while. Node 0 then refuses x = 5 and calls its own x = 1 stale; on the other side x = 7 is final.',
    setting: quiet({ ...raftOf(5), edits: cutOff }),
    untilMs: 6_500,
    comesTo: {
      x: [1, 1, 7, 7, 7],
      log: ['stepped-down', 'x = 5: refused, no leader is known', 'its own, stale: x = 1', 'x = 7: taken'],
    },
  },
  question: 'When the cable is mended, which of the two truths has to give way?',
  answer:
    'None: there was one truth all the time. The minority has nothing final that the others do not have, so it only takes what it missed. Had it taken x = 5 as well, somebody’s acknowledged write would have to be thrown away now.',
  tries: [
    {
      name: 'The cable is mended',
      see: 'Nodes 0 and 1 follow the new leader, take over x = 7, and answer for the newest x again.',
      setting: quiet({
        ...raftOf(5),
        edits: [
          ...cutOff,
          ...at(7_000, ...between('mend', [0, 1], [2, 3, 4])),
          ...at(9_500, { kind: 'read', node: 0 }),
        ],
      }),
      untilMs: 10_500,
      comesTo: { x: [7, 7, 7, 7, 7], log: ['node 0: asked for the newest x: x = 7'] },
    },
    {
      name: 'Two and two, with PBFT',
      see: 'Four nodes, cut in halves. Neither has a quorum of three, so both take what they are given and make none of it final.',
      setting: quiet({
        edits: [
          ...at(1_000, ...between('cut', [0, 1], [2, 3])),
          ...at(2_000, { kind: 'write', node: 0, value: 5 }, { kind: 'write', node: 2, value: 7 }),
        ],
      }),
      untilMs: 15_000,
      comesTo: { x: [null, null, null, null], blocks: [0, 0] },
    },
  ],
};
