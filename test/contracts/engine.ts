import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import type { Effect, Engine, Input, Verified } from '../../src/consensus/engine.ts';
import type { EngineStart, Protocol } from '../../src/consensus/protocol.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { protocolOf } from '../../src/node/core/protocol.ts';
import { Chance } from '../../src/simulator/world/chance.ts';
import { drawPlan } from '../../src/simulator/plan/draw-plan.ts';
import { FastSignatures } from '../../src/simulator/world/fast-signatures.ts';
import type { Plan } from '../../src/simulator/plan/plan.ts';
import { simulatedChain } from '../../src/simulator/plan/simulated-chain.ts';
import { simulate } from '../../src/simulator/run/simulation.ts';
import { Monitor } from '../../src/simulator/checkers/monitor.ts';

type Message = object;

/** What one process of a replica went through. */
interface Life {
  readonly start: EngineStart;
  readonly steps: { readonly input: Input<Message>; readonly effects: readonly Effect<Message>[] }[];
}

/** The lives of all correct replicas in a run, with its faults, its lies and its restarts. */
async function livesOf(plan: Plan): Promise<readonly Life[]> {
  const lives: Life[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the watch that it belongs to
  const observer = Monitor.prototype.observer;
  Monitor.prototype.observer = function (node, machine) {
    const watching = observer.call(this, node, machine);
    let life: Life | undefined;
    return {
      started: (start, engine) => {
        life = { start: structuredClone(start), steps: [] };
        lives.push(life);
        watching.started(start, engine);
      },
      input: (input, engine) => watching.input(input, engine),
      effects: (effects, engine, input) => {
        life?.steps.push({ input: input as Input<Message>, effects: effects as readonly Effect<Message>[] });
        watching.effects(effects, engine, input);
      },
    };
  };
  try {
    const { verdict } = await simulate(plan);
    assert.equal(verdict.outcome, 'pass');
  } finally {
    Monitor.prototype.observer = observer;
  }
  return lives;
}

/** What an engine promises to the driver, whichever it is: looked at along the lives of replicas in a run of the simulator. */
export function engineContract(options: {
  readonly engine: Plan['engine'];
  readonly seed: number;
  readonly stateOf: (engine: Engine<Message>) => object;
  /** What a message may change that is not wanted: that its sender was heard, and counts. */
  readonly notes: readonly string[];
}): void {
  const plan = drawPlan(options.seed, options.engine);
  const protocol: Protocol<Message> = protocolOf(simulatedChain(plan, new FastSignatures()).genesis, {
    ...plan.retention,
    ...(plan.oneByOne === true && { appendBytes: 1 }),
  });
  const begin = ({ start }: Life): Engine<Message> => protocol.start(structuredClone(start));
  const stateOf = (engine: Engine<Message>): object => {
    const kept = Object.entries(options.stateOf(engine)).filter(([name]) => !options.notes.includes(name));
    return structuredClone(Object.fromEntries(kept));
  };
  let lives: readonly Life[] | undefined;
  const all = async (): Promise<readonly Life[]> => (lives ??= await livesOf(plan));
  const messagesOf = (found: readonly Life[]): Message[] =>
    found.flatMap(({ steps }) =>
      steps.flatMap(({ input }) => (input.type === 'message' ? [input.message] : [])),
    );
  /** A fresh one, to be thrown away. */
  const begun = (life: Life): Engine<Message> => {
    const engine = begin(life);
    engine.step({ type: 'tick', now: 1 });
    return engine;
  };
  const given = (message: Message): Input<Message> => ({
    type: 'message',
    message: message as Verified<Message>,
  });

  describe(`engine contract: ${options.engine}`, () => {
    test('the same start and the same inputs give the same effects', async () => {
      for (const life of await all()) {
        const engine = begin(life);
        for (const { input, effects } of life.steps) assert.deepEqual(engine.step(input), effects);
      }
    });

    test('a message that is not wanted changes nothing and has no effect', async () => {
      const found = await all();
      const messages = messagesOf(found);
      const chance = new Chance(options.seed, 'unwanted');
      let unwanted = 0;
      for (const life of found) {
        const engine = begin(life);
        for (const [index, { input }] of life.steps.entries()) {
          if (index % 7 === 1) {
            const message = chance.pick(messages);
            if (!engine.wants(message, false)) {
              const before = stateOf(engine);
              assert.deepEqual(engine.step(given(message)), []);
              assert.deepEqual(stateOf(engine), before);
              unwanted += 1;
            }
          }
          engine.step(input);
        }
      }
      assert.ok(unwanted > 50, `${unwanted} messages were not wanted`);
    });

    test('blocks from sync under a certificate for another block are not final', async () => {
      let forged = 0;
      for (const life of await all()) {
        const engine = begin(life);
        for (const { input } of life.steps) {
          if (input.type === 'synced') {
            const links = input.chain.slice(0, -1);
            const last = input.chain.at(-1);
            assert.ok(last !== undefined);
            const sibling = { ...last, blockHash: 'fe'.repeat(32) as Hash };
            const effects = engine.step({ ...input, chain: [...links, sibling] });
            const final = effects.flatMap((effect) =>
              effect.type === 'commit' ? [effect.link.blockHash] : [],
            );
            assert.ok(!final.includes(sibling.blockHash));
            forged += 1;
          }
          engine.step(input);
        }
      }
      assert.ok(forged > 0, 'somebody was behind');
    });

    test('each change of the view, and of who leads it, is told with its reason', async () => {
      let changes = 0;
      for (const life of await all()) {
        const engine = begin(life);
        const { view, primary } = engine.status();
        let told = { view, isLed: primary !== null };
        for (const { input } of life.steps) {
          for (const effect of engine.step(input)) {
            if (effect.type !== 'view') continue;
            assert.ok(effect.reason.length > 5);
            told = { view: effect.view, isLed: effect.leader !== null };
            changes += 1;
          }
          const now = engine.status();
          assert.deepEqual(told, { view: now.view, isLed: now.primary !== null }, engine.why());
        }
      }
      assert.ok(changes > 5, `${changes} changes`);
    });

    test('no bytes make it throw', async () => {
      const found = await all();
      const bytes = messagesOf(found).map((message) => protocol.encode(message));
      const chance = new Chance(options.seed, 'bytes');
      let read = 0;
      for (const life of found.slice(0, 4)) {
        const engine = begin(life);
        for (const { input } of life.steps) {
          engine.step(input);
          const changed = chance
            .pick(bytes)
            .slice(0, chance.happens(0.2) ? chance.between(0, 200) : undefined);
          for (let times = chance.between(0, 3); times > 0 && changed.length > 0; times--) {
            changed[chance.between(0, changed.length - 1)] = chance.between(0, 255);
          }
          const message = protocol.decode(changed);
          if (message instanceof Problem) continue;
          const claims = protocol.claims(message);
          if (claims instanceof Problem || claims.inside?.open() instanceof Problem) continue;
          read += 1;
          // Nobody signed most of these, so whoever takes them in need not go on as before; but it must not fall over.
          if (engine.wants(message, chance.happens(0.5))) begun(life).step(given(message));
          engine.why();
          engine.status();
        }
      }
      assert.ok(read > 100, `${read} were messages`);
    });

    test('a write that is acknowledged twice has no second effect on the disk, and nothing is signed anew', async () => {
      for (const life of await all()) {
        const engine = begin(life);
        for (const { input } of life.steps) {
          engine.step(input);
          if (input.type !== 'persisted') continue;
          const again = engine.step(input);
          assert.deepEqual(
            again.filter(({ type }) => type === 'commit'),
            [],
            'nothing becomes final twice',
          );
          const signs = again.flatMap((effect) => (effect.type === 'persist' ? effect.sign : []));
          const known = new Set(
            input.signed.map((message) => Buffer.from(protocol.encode(message)).toString('hex')),
          );
          assert.ok(
            signs.every(
              ({ bytes }) => ![...known].some((hex) => hex.startsWith(Buffer.from(bytes).toString('hex'))),
            ),
          );
        }
      }
    });
  });
}
