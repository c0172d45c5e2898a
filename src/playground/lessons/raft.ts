import { at, between, type Lesson, quiet, raftOf } from './lesson.ts';

const paper = 'Ongaro, Ousterhout: In Search of an Understandable Consensus Algorithm (2014)';

export const raft: Lesson = {
  id: 'raft',
  title: 'Raft, step by step',
  sources: [`${paper}, sections 5.1 to 5.3`],
  text: [
    'All three nodes begin as followers. Each waits for a leader for a while of its own; the first that waits in vain becomes a candidate of the next term and asks for votes. Each node has one vote in a term, so at most one candidate has two of three: it leads.',
    'Clients’ writes go to the leader. It puts them into its log and sends them to the followers, who store them and say so. What two of three have stored is committed. The leader says how far that is with the next heartbeat, and all apply it.',
    'This program asks before it campaigns whether anybody would vote for it, and it begins a term with a block of the new leader’s own: both are from the dissertation (sections 9.6 and 6.4).',
  ],
  scene: {
    name: 'Three nodes, and x = 5',
    see: 'Node 1 is the first to campaign, and leads term 1. Node 0 is given x = 5 and passes it on. Watch “append” fly out and “accepted” come back; the leader counts x = 5 as committed with the first of them, and the others hear of it.',
    setting: quiet({
      ...raftOf(3),
      edits: [...at(3_000, { kind: 'write', node: 0, value: 5 }), ...at(4_000, { kind: 'read', node: 2 })],
    }),
    untilMs: 5_000,
    comesTo: { x: [5, 5, 5], log: ['leading', 'x = 5: taken', 'asked for the newest x: x = 5'] },
  },
  question: 'The leader is killed. How long does it take, and who may lead then?',
  answer:
    'About one election timeout, and then whichever of the other two asks first: both have the entry. A node without it could not win, because nobody votes for a log that ends earlier than its own (section 5.4.1).',
  tries: [
    {
      name: 'The leader is killed',
      see: 'Node 1 is killed after x = 5 is committed. Another one leads term 2, and x = 7 is written there.',
      setting: quiet({
        ...raftOf(3),
        edits: [
          ...at(2_000, { kind: 'write', node: 0, value: 5 }),
          ...at(3_000, { kind: 'crash', node: 1 }),
          ...at(6_000, { kind: 'write', node: 0, value: 7 }),
        ],
      }),
      untilMs: 7_000,
      comesTo: { x: [7, 'down', 7], log: ['node 1 is killed', 'leading'] },
    },
    {
      name: 'Two of three are killed',
      see: 'The one that is left asks again and again, and wins nothing: a vote takes two. It cannot know whether the others are dead, or go on without it.',
      setting: quiet({
        ...raftOf(3),
        edits: [
          ...at(2_000, { kind: 'crash', node: 0 }, { kind: 'crash', node: 1 }),
          ...at(6_000, { kind: 'write', node: 2, value: 5 }),
        ],
      }),
      untilMs: 12_000,
      comesTo: { x: ['down', 'down', null], log: ['x = 5: refused, no leader is known'] },
    },
  ],
};

const aloneWith5 = [
  ...at(2_000, ...between('cut', [1], [0, 2])),
  ...at(2_050, { kind: 'write', node: 1, value: 5 }),
  ...at(5_000, { kind: 'write', node: 0, value: 7 }),
];

export const committed: Lesson = {
  id: 'committed',
  title: 'What “committed” means',
  sources: [`${paper}, sections 5.3 and 5.4.2, with figure 8`],
  text: [
    'An entry in a leader’s log is a plan. It is committed when a majority has it on disk, in the leader’s own term: from then on every later leader has it, because it needs a vote of that majority. Before, it may be lost, and later leaders may put another entry in its place.',
    'So a client must not be told “done” before that. And of an entry that a leader took and did not commit before it lost the lead, nobody knows what will become of it: lost, or committed by somebody else.',
  ],
  scene: {
    name: 'An entry that is lost',
    see: 'Leader 1 is cut off, takes x = 5 and stores it: look at its log, “on disk”, stored by 1 alone. The other two choose a leader, and x = 7 is committed in its place. When the cable is mended, node 1 cuts x = 5 off its log.',
    setting: quiet({ ...raftOf(3), edits: [...aloneWith5, ...at(7_000, ...between('mend', [1], [0, 2]))] }),
    untilMs: 9_000,
    comesTo: {
      x: [7, 7, 7],
      log: ['x = 5: taken, not final yet', 'stepped-down', 'leading', 'x = 7: taken'],
    },
  },
  question: 'What if node 1 comes back before the others have chosen a leader?',
  answer:
    'Then x = 5 may live. Node 1 is as good a leader as before, with the longest log of all, and the other two follow it. The client was told “not final yet”, which was true in both cases.',
  tries: [
    {
      name: 'The cable is mended at once',
      see: 'After 300 ms the links work again. Node 1 still leads, sends x = 5 to the others, and it is committed.',
      setting: quiet({
        ...raftOf(3),
        edits: [...aloneWith5.slice(0, 3), ...at(2_350, ...between('mend', [1], [0, 2]))],
      }),
      untilMs: 5_000,
      comesTo: { x: [5, 5, 5] },
    },
  ],
};

export const quorums: Lesson = {
  id: 'quorums',
  title: 'Quorums: R + W > N',
  sources: [
    'Gifford: Weighted Voting for Replicated Data (1979), abstract',
    'Castro, Liskov: Practical Byzantine Fault Tolerance (1999), section 3',
  ],
  text: [
    'Of N copies a write reaches W and a read asks R. If R + W > N, every read meets at least one copy that has the last write: R + W − N of them. If also 2 W > N, no two writes can miss each other. With W = R = a majority both hold, and N − W may be down.',
    'Where f of the copies may lie, one in common is not enough: it may be the liar. Then two quorums have to share f + 1, so 2 q − N ≥ f + 1; and a quorum has to be there when the f are silent, so q ≤ N − f. Both together need N ≥ 3 f + 1, and q = 2 f + 1 does it.',
  ],
  scene: {
    name: 'W = 3 of 5, then R = 3 others',
    see: 'Nodes 3 and 4 are down while x = 5 is written, so 0, 1 and 2 have it. Then 0 and 1 are killed, and 3 and 4 come back. Three nodes are asked for their votes, and node 2 is among them, as one of the writers has to be: x = 5 is there.',
    setting: quiet({
      ...raftOf(5),
      edits: [
        ...at(1_500, { kind: 'crash', node: 3 }, { kind: 'crash', node: 4 }),
        ...at(2_000, { kind: 'write', node: 1, value: 5 }),
        ...at(3_000, { kind: 'crash', node: 0 }, { kind: 'crash', node: 1 }),
        ...at(3_000, { kind: 'start', node: 3 }, { kind: 'start', node: 4 }),
      ],
    }),
    untilMs: 7_000,
    comesTo: { x: ['down', 'down', 5, 5, 5] },
  },
  question: 'W = 2 would be faster. With R = 3 of 5, what goes wrong?',
  answer:
    'R + W = 5 is not more than N: the three that are asked may be just those that do not have it. The scene shows it; and it shows why Raft does not call x = 5 committed then.',
  tries: [
    {
      name: 'W = 2 of 5, then R = 3 others',
      see: 'Leader 1 reaches node 0 alone: x = 5 is on two disks. Both are killed, the other three go on, and know of no x.',
      setting: quiet({
        ...raftOf(5),
        edits: [
          ...at(2_000, ...between('cut', [0, 1], [2, 3, 4])),
          ...at(2_050, { kind: 'write', node: 1, value: 5 }),
          ...at(2_400, { kind: 'crash', node: 0 }, { kind: 'crash', node: 1 }),
        ],
      }),
      untilMs: 7_000,
      comesTo: { x: ['down', 'down', null, null, null], log: ['x = 5: taken', 'leading'] },
    },
  ],
};
