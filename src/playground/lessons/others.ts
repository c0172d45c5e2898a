import { at, between, type Lesson, quiet } from './lesson.ts';

const halves = [
  ...at(1_000, ...between('cut', [0, 1], [2, 3])),
  ...at(2_000, { kind: 'write', node: 0, value: 5 }),
];

export const others: Lesson = {
  id: 'others',
  title: 'What others do otherwise',
  sources: [
    'Nakamoto: Bitcoin: A Peer-to-Peer Electronic Cash System (2008), sections 4, 5 and 11',
    'Buchman, Kwon, Milosevic: The Latest Gossip on BFT Consensus (2018), section 3',
    'Yin, Malkhi, Reiter, Gueta, Abraham: HotStuff: BFT Consensus with Linearity and Responsiveness (2019), section 4',
  ],
  text: [
    'Proof of work counts no names. Who finds a hash that is small enough may add a block, and the chain with the most work is the true one. Anybody may take part, and both halves of a divided network go on; when they meet, the shorter chain is thrown away. So no block is ever final, only less and less likely to go, and it is safe while the honest have most of the work. Here the members are known, a quorum of them signs, and what is final stays.',
    'Tendermint has PBFT’s two rounds of votes, prevote and precommit, and changes the proposer with every block and every round, in an order that all know. It needs no view change: a node that precommitted a block is locked on it, and prevotes for nothing else until it sees a newer quorum for another one. A proposer then has to wait for what others may be locked on. PBFT keeps its primary while it is good, several blocks at a time, and pays with a heavier change.',
    'HotStuff adds a third round and lets votes go to the leader and back in place of all to all. That makes messages few where nodes are many, and each block a round later.',
  ],
  scene: {
    name: 'A divided network, here',
    see: 'Two and two. Neither side makes x = 5 final, as long as it takes. With proof of work node 0 would show it at once, and might have to take it back.',
    setting: quiet({ edits: halves }),
    untilMs: 8_000,
    comesTo: { x: [null, null, null, null], blocks: [0, 0] },
  },
  question: 'The cable is mended. What is different from the moment at which two chains of work meet?',
  answer:
    'Nothing is thrown away. x = 5 waited, and becomes final now; whoever saw something final before has it still. With proof of work the payments of one side are undone, and whoever delivered goods for them has neither.',
  tries: [
    {
      name: 'The cable is mended',
      see: 'The four change the view together, and x = 5 is final on all.',
      setting: quiet({ edits: [...halves, ...at(8_000, ...between('mend', [0, 1], [2, 3]))] }),
      untilMs: 20_000,
      comesTo: { x: [5, 5, 5, 5], log: ['new-view', 'final 1'] },
    },
  ],
};
