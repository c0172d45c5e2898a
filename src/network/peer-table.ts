import { limits } from '../base/limits.ts';
import type { Link } from './link.ts';
import type { PeerId } from './port.ts';
import { queueRoom, SendQueue } from './send-queue.ts';

/** A peer with at least one accepted link. */
interface Peer {
  readonly id: PeerId;
  readonly queue: SendQueue;
  /** Accepted links, oldest first. The first one sends: so messages keep their order while it lives. */
  readonly links: Link[];
}

/** Who is connected. A peer enters with its first accepted link and leaves with its last. */
export class PeerTable {
  readonly #peers = new Map<PeerId, Peer>();
  readonly #queues = queueRoom(limits.sendQueuesBytes);

  get(id: PeerId): Peer | undefined {
    return this.#peers.get(id);
  }

  /** A copy: the caller may close links while it goes through them. */
  linksOf(id: PeerId): readonly Link[] {
    return [...(this.#peers.get(id)?.links ?? [])];
  }

  ids(): PeerId[] {
    return [...this.#peers.keys()];
  }

  all(): IterableIterator<Peer> {
    return this.#peers.values();
  }

  /** True when the peer was not connected before. */
  add(link: Link): boolean {
    const peer = this.#peers.get(link.peer);
    if (peer !== undefined) {
      peer.links.push(link);
      return false;
    }
    const queue = new SendQueue({
      maxBytes: limits.peerSendQueueBytes,
      maxUrgentBytes: limits.peerUrgentQueueBytes,
      room: this.#queues,
    });
    this.#peers.set(link.peer, { id: link.peer, queue, links: [link] });
    link.writer?.attach(queue);
    return true;
  }

  /** True when this was the peer's last link. Otherwise the oldest that is left takes over the sending. */
  remove(link: Link): boolean {
    const peer = this.#peers.get(link.peer);
    const index = peer?.links.indexOf(link) ?? -1;
    if (peer === undefined || index < 0) return false;
    peer.links.splice(index, 1);
    const next = peer.links[0];
    if (next === undefined) {
      peer.queue.clear();
      this.#peers.delete(link.peer);
      return true;
    }
    if (index === 0) next.writer?.attach(peer.queue);
    return false;
  }
}
