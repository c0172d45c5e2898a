import type { ChainParametersView, ProposalView } from '../../api/chain-views.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { scheduledChange } from '../../ledger/chain-parameters.ts';
import { approvalsNeeded, electorsOf } from '../../ledger/change-rules.ts';
import { configurationHash, encodeConfiguration, votesInNew } from '../../ledger/members.ts';
import type { ChainProposal } from '../../ledger/proposal.ts';
import { oldestProtocolVersion } from '../../ledger/protocol-version.ts';
import { upcomingParameters } from '../effects/upcoming.ts';
import type { NodeBackendOptions } from './options.ts';

/** The rules of the next block by the final state, and what is proposed to change them. */
export class ChainRules {
  readonly #options: Pick<NodeBackendOptions, 'driver' | 'genesis'>;

  constructor(options: Pick<NodeBackendOptions, 'driver' | 'genesis'>) {
    this.#options = options;
  }

  parameters(): ChainParametersView {
    const { final } = this.#options.driver.chain;
    const parameters = upcomingParameters(final);
    const { electors, members } = this.#electors(parameters.validators);
    const scheduled = parameters.scheduled.toSorted((a, b) => a.height - b.height);
    return {
      ...this.#place(),
      protocolVersion: parameters.protocolVersion,
      feePerOperation: parameters.feePerOperation,
      limits: parameters.limits,
      scheduled,
      validatorsHash: final.header.nextValidatorsHash,
      validators: electors.map((publicKey) => this.#elector(publicKey)),
      members,
      needed: approvalsNeeded(parameters, electors),
    };
  }

  proposals(): readonly ProposalView[] {
    const { state } = this.#options.driver.chain.final;
    return state.proposalNames.flatMap(({ id }) => {
      const proposal = state.proposal(id);
      return proposal === undefined ? [] : [{ id, ...this.#proposal(proposal) }];
    });
  }

  /** What of it the status of the node tells. */
  versions() {
    const { driver } = this.#options;
    const { protocolVersion, scheduled } = upcomingParameters(driver.chain.final);
    const coming = scheduledChange({ scheduled }, 'protocol-version');
    return {
      protocolVersion,
      knownProtocolVersions: { oldest: oldestProtocolVersion, newest: driver.versionWatch.known },
      scheduledProtocolVersion:
        coming === undefined ? null : { version: coming.change.version, height: coming.height },
    };
  }

  #place() {
    const { height, hash, header } = this.#options.driver.chain.final;
    return { height, blockHash: hash, stateRoot: header.stateRoot };
  }

  #elector(publicKey: PublicKey): ChainParametersView['validators'][number] {
    const { driver, genesis } = this.#options;
    const index = driver.registry.validators.indexOf(publicKey);
    const name = genesis.validators.find((one) => one.publicKey === publicKey)?.name ?? null;
    return { publicKey, name, protocolVersions: driver.registry.protocolVersionsOf(index) ?? null };
  }

  /**
   * Who decides on the next block’s proposals. In Raft the ledger does not hold them: the engine’s word, when
   * it is of the set that the final header names; it may be a moment behind.
   */
  #electors(validators: readonly PublicKey[]) {
    const { driver } = this.#options;
    const none = { electors: validators, members: new Uint8Array() };
    const { members } = driver.engine.status();
    if (validators.length > 0 || members === undefined) return none;
    if (configurationHash(members) !== driver.chain.final.header.nextValidatorsHash) return none;
    const electors = members.filter(votesInNew).map(({ key }) => key);
    return { electors, members: encodeConfiguration(members) };
  }

  #proposal(proposal: ChainProposal): Omit<ProposalView, 'id'> {
    const { final } = this.#options.driver.chain;
    const parameters = upcomingParameters(final);
    const electors = electorsOf(parameters, proposal);
    return {
      proposer: proposal.proposer,
      change: proposal.change,
      expiryHeight: proposal.expiryHeight,
      validatorsHash: proposal.validatorsHash,
      approvals: proposal.approvals,
      needed: approvalsNeeded(parameters, electors),
      decidedAt: proposal.decidedAt ?? null,
      status: this.#standOf(proposal),
    };
  }

  #standOf({ decidedAt, validatorsHash, expiryHeight }: ChainProposal): ProposalView['status'] {
    const { height, header } = this.#options.driver.chain.final;
    if (decidedAt !== undefined) return 'decided';
    if (validatorsHash !== header.nextValidatorsHash) return 'void';
    return height >= expiryHeight ? 'expired' : 'open';
  }
}
