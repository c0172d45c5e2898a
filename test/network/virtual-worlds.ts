import { utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import type { Network } from '../../src/network/port.ts';
import { Links } from '../../src/simulator/world/links.ts';
import { ProcessLife } from '../../src/simulator/world/process-life.ts';
import { Scheduler } from '../../src/simulator/world/scheduler.ts';
import { Trace } from '../../src/simulator/world/trace.ts';
import { VirtualNetwork } from '../../src/simulator/world/virtual-network.ts';
import type { ContractMember, ContractWorld } from '../contracts/network.ts';
import { Recorder } from './recorder.ts';

/** So much virtual time is good time: a request may time out in it. */
const patienceMs = 2 * limits.requestTimeoutMs;
const stepMs = 5;

/** A world whose time passes when it is waited for. */
abstract class VirtualWorld implements ContractWorld {
  private networks: Network[] = [];

  protected abstract join(index: number, hello: () => Uint8Array, count: number): Network;
  protected abstract cut(a: number, b: number): void;
  abstract pass(ms: number): void;

  async start(options: Parameters<ContractWorld['start']>[0]): Promise<readonly ContractMember[]> {
    const members: ContractMember[] = [];
    for (let index = 0; index < options.count; index++) {
      const hello = utf8(options.hello?.(index) ?? 'hello');
      const network = this.join(index, () => hello, options.count);
      for (let other = 0; other < index; other++) {
        if (options.linked?.(other, index) === false) this.cut(other, index);
      }
      const handlers = new Recorder(options.behaviour?.(index));
      await network.start(handlers);
      this.networks.push(network);
      members.push({ network, handlers });
    }
    return members;
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    for (let waited = 0; !condition(); waited += stepMs) {
      if (waited > patienceMs) throw new Error(`not in time: ${what}`);
      this.pass(stepMs);
    }
  }

  async close(): Promise<void> {
    for (const network of this.networks.splice(0)) await network.stop();
  }
}

/** The simulator's network in good weather. */
export class SimulatedWorld extends VirtualWorld {
  private readonly scheduler = new Scheduler();
  private network: VirtualNetwork | undefined;

  protected join(index: number, hello: () => Uint8Array, size: number): Network {
    const { scheduler } = this;
    this.network ??= new VirtualNetwork({
      scheduler,
      links: new Links({
        size,
        seed: 1,
        conditions: { delayMs: [1, 1], loss: 0, duplication: 0, reordering: 0 },
        count: () => undefined,
      }),
      trace: new Trace(false),
      seed: 1,
      size,
      kindOf: () => 'kind',
    });
    const life = new ProcessLife((error) => {
      throw error;
    });
    return this.network.join(index, { life, hello });
  }

  protected cut(a: number, b: number): void {
    this.network?.links.cut(a, b);
    this.network?.links.cut(b, a);
  }

  /** From now on the two can reach each other. */
  link(a: number, b: number): void {
    this.network?.links.mend(a, b);
    this.network?.links.mend(b, a);
    this.network?.reconcile();
  }

  pass(ms: number): void {
    const until = this.scheduler.now + ms;
    while (this.scheduler.step(until));
  }
}
