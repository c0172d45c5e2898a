import { at, type Lesson, quiet } from './lesson.ts';

const paper = 'Castro, Liskov: Practical Byzantine Fault Tolerance (1999)';

export const threePhases: Lesson = {
  id: 'three-phases',
  title: 'PBFT: three phases',
  sources: [`${paper}, section 4.2`],
  text: [
    'The primary proposes a block (pre-prepare). Each node that finds it good tells all others (prepare). Who has heard that from a quorum, 3 of 4, holds the block as prepared and says so (commit). With the commits of a quorum the block is final.',
    'Prepared means: no other block can be prepared at this place in this view, since two quorums share an honest node, and that one votes once. Final means more: whatever happens to this view, a quorum knows that the block was prepared, so every later view has to keep it.',
  ],
  scene: {
    name: 'One block goes by',
    see: 'Node 0 is given x = 5 and proposes a block with it. Watch the three waves go by at a slow speed, and each node’s votes beside it.',
    setting: quiet({ edits: at(1_000, { kind: 'write', node: 0, value: 5 }) }),
    untilMs: 2_000,
    comesTo: { x: [5, 5, 5, 5], blocks: [1, 1] },
  },
  question: 'Why is one round of votes not enough?',
  answer:
    'After one round a node knows that a quorum accepted the block, but not that others know it. If it made the block final and died, the next primary might hear of no quorum and propose another block. Hold the commits back: all four have prepared the block, and none calls it final.',
  tries: [
    {
      name: 'The commits never arrive',
      see: 'All nodes say “prepared”, with the prepares of all. No one is sure of the others, so they change the view and try the same block again.',
      setting: quiet({
        edits: at(1_000, { kind: 'hold', what: 'commit' }, { kind: 'write', node: 0, value: 5 }),
      }),
      untilMs: 5_000,
      comesTo: { x: [null, null, null, null], blocks: [0, 0], log: ['leave-view', 'new-view'] },
    },
  ],
};

const twoFaced = { ...quiet({}), load: 'steady', seed: 4 } as const;

export const threeFPlusOne: Lesson = {
  id: 'why-3f-plus-1',
  title: 'Why 3f + 1',
  sources: [
    `${paper}, section 3`,
    'Dwork, Lynch, Stockmeyer: Consensus in the Presence of Partial Synchrony (1988), section 3.2.2 and theorem 4.4',
    'Lamport, Shostak, Pease: The Byzantine Generals Problem (1982), sections 2 and 4',
  ],
  text: [
    'f nodes may be silent, so a node must go on with the answers of n − f. But the f that are missing may be honest and slow, and f among those that answered may lie. What is left must still outvote the liars: n − 2 f > f, so n ≥ 3 f + 1.',
    'With n = 4 and f = 1 a quorum is 3, and two quorums share two nodes, one of them honest. With n = 3 a quorum of two shares one node with another, and that may be the liar.',
    'Signatures do not save the fourth node. With them three would do if every message came in a known time; but as nobody can tell a late message from none, n ≥ 3 f + 1 holds with signatures too.',
  ],
  scene: {
    name: 'Three nodes, one liar',
    see: 'Node 0 proposes one block to node 1 and another one to node 2, and votes for both. Both have two of three, and the promise breaks. The page shows both blocks and names who signed for both: f + 1 = 1 node, as f is 0 here.',
    setting: { ...twoFaced, nodes: ['equivocate', null, null] },
    untilMs: 10_000,
    comesTo: { breach: { guarantee: 'agreement', signedBoth: [0] } },
  },
  question: 'Would a fourth honest node help, or a quorum of all three?',
  answer:
    'A fourth node does: the same attack comes to nothing, as the first scene shows. A quorum of all three is safe as well, but then one silent node stops the chain for ever, as the second one shows for the quorum of four nodes with two silent.',
  tries: [
    {
      name: 'The same attack on four nodes',
      see: 'Node 0 lies in the same way. The others see the two proposals, hold them against it as evidence, change the view, and go on.',
      setting: { ...twoFaced, nodes: ['equivocate', null, null, null] },
      untilMs: 8_000,
      comesTo: { blocks: [5, 100], log: ['"accused":0', 'new-view'] },
    },
    {
      name: 'Two of four are silent',
      see: 'Two are no quorum of four: the chain stands, and says what it waits for.',
      setting: { ...twoFaced, nodes: [null, null, 'silent', 'silent'] },
      untilMs: 10_000,
      comesTo: { blocks: [0, 0] },
    },
  ],
};

export const equivocation: Lesson = {
  id: 'equivocation',
  title: 'Equivocation: to say two things',
  sources: [
    `${paper}, section 4.2`,
    'Haeberlen, Kouznetsov, Druschel: PeerReview: Practical Accountability for Distributed Systems (2007), abstract',
  ],
  text: [
    'The strongest lie is to tell different things to different nodes. It takes two signatures over one place, and both together are proof: no honest node ever signs a second block for one view and height. So it works once, and has a name on it.',
    'Nodes here pass on what contradicts, keep it, and show it (“quorate evidence list” on a real chain). A primary that is caught loses its view at once.',
  ],
  scene: {
    name: 'The primary proposes two blocks',
    see: 'Node 0 shows one block to some and another one to the others. As soon as the votes cross, each has proof against node 0 and leaves its view. Node 1 leads, and x = 5 is final.',
    setting: quiet({
      nodes: ['equivocate', null, null, null],
      edits: at(1_000, { kind: 'write', node: 1, value: 5 }),
    }),
    untilMs: 4_000,
    comesTo: { x: [5, 5, 5, 5], log: ['"accused":0', 'the primary contradicted itself', 'new-view'] },
  },
  question: 'Can it be done later, when all trust node 0?',
  answer:
    'Nobody trusts: each signature is checked against each other one at every time. It costs the others a view change, and the liar its name. Try it in the middle of a run, or make any node lie in any other way.',
  tries: [
    {
      name: 'Node 0 is taken over in the middle of a run',
      see: 'After two seconds node 0 runs other software. It proposes two blocks, is caught, and the others go on in view 1.',
      setting: {
        ...quiet({ edits: at(2_000, { kind: 'lie', node: 0, liar: 'equivocate' }) }),
        load: 'steady',
      },
      untilMs: 8_000,
      comesTo: { blocks: [6, 100], log: ['node 0 begins to lie', '"accused":0', 'new-view'] },
    },
    {
      name: 'A backup votes for two blocks',
      see: 'Node 2 votes for the block where some hear it, and for another one where others do. It is caught as well, and no view has to end for it.',
      setting: { ...quiet({ nodes: [null, null, 'two-faced-votes', null] }), load: 'steady' },
      untilMs: 8_000,
      comesTo: { blocks: [6, 100], log: ['"accused":2'] },
    },
  ],
};

const prepared = [
  ...at(1_000, { kind: 'write', node: 0, value: 5 }, { kind: 'hold', what: 'commit' }),
  ...at(2_000, { kind: 'crash', node: 0 }, { kind: 'release', what: 'commit' }),
];

export const viewChange: Lesson = {
  id: 'view-change',
  title: 'A view change keeps what was prepared',
  sources: [
    `${paper}, section 4.4`,
    'Castro: Practical Byzantine Fault Tolerance, thesis (2001), section 2.3.5',
  ],
  text: [
    'A block may be final at one node while the others only have it prepared. So a new view must not begin with another block. Each node that leaves a view tells the best that it knows, with the votes that prove it: the highest certificate of prepares. The new primary shows a quorum of such view changes, and what the view begins with follows from them alone.',
    'Any block that is final was prepared at a quorum. That quorum and the one of the view changes share an honest node, and it tells. (The paper tells a certificate for each number; here a block names its parent, so one certificate covers all below it.)',
  ],
  scene: {
    name: 'The primary dies when its block is prepared',
    see: 'Block 1 is prepared everywhere, and the commits are held back. Node 0 is killed. Its block, with the same hash, is what view 1 begins with, and is final there.',
    setting: quiet({ edits: prepared }),
    untilMs: 4_000,
    comesTo: {
      x: ['down', 5, 5, 5],
      blocks: [1, 1],
      log: ['"tip":1', 'final 1 5c4296d1237b'],
    },
  },
  question: 'The next primary could hide the certificate, to begin with another block. What stops it?',
  answer:
    'It has to show a quorum of view changes, signed by their senders, and each node works out by itself what follows. It can leave out one that tells, but not all: among any three of four is one that does. A start that does not follow is refused, and the view goes to the next.',
  tries: [
    {
      name: 'Node 1 forges the new view',
      see: 'Node 1 leads view 1 and lies about what it begins with. Node 0 is back in time for a quorum of honest nodes; block 1 stays what it was.',
      setting: quiet({
        nodes: [null, 'forge-new-view', null, null],
        edits: [...prepared, ...at(2_000, { kind: 'start', node: 0 })],
      }),
      untilMs: 12_000,
      comesTo: { x: [5, 5, 5, 5], log: ['final 1 5c4296d1237b'] },
    },
    {
      name: 'A second node is killed as well',
      see: 'Two of four are no quorum. The other two wait for a third view change. If two could go on, the other two, merely cut off, could go on as well.',
      setting: quiet({ edits: [...prepared, ...at(2_000, { kind: 'crash', node: 1 })] }),
      untilMs: 12_000,
      comesTo: { x: ['down', 'down', null, null], blocks: [0, 0] },
    },
  ],
};
