/** What somebody types into a field, and what it becomes in the JSON of a part. */
interface Field {
  /** Its name in the JSON, as the API has it. */
  readonly name: string;
  readonly label: string;
  /**
   * `account`: an address, on a chain for development a name as well; `accounts`: several; `height`: also +N,
   * above the final one; `time`: a moment as ISO 8601 writes it.
   */
  readonly type:
    | 'text'
    | 'lines'
    | 'amount'
    | 'whole'
    | 'height'
    | 'time'
    | 'account'
    | 'accounts'
    | 'flag'
    | 'choice';
  readonly choices?: readonly string[];
  /** Left empty it is left out. */
  readonly isOptional?: boolean;
  readonly first?: string;
}

/** A kind of operation or condition, as a form has it. */
export interface PartKind {
  /** What a menu says. */
  readonly label: string;
  /** What the button adds. */
  readonly noun: string;
  readonly type: string;
  /** Of a proposal: which change. */
  readonly change?: string;
  readonly fields: readonly Field[];
}

const key: Field = { name: 'key', label: 'record', type: 'text' };
const amount: Field = { name: 'amount', label: 'amount', type: 'amount', first: '5' };
const to: Field = { name: 'to', label: 'to', type: 'account' };
const memo: Field = { name: 'memo', label: 'with the words', type: 'text', isOptional: true };
const reservation: Field = { name: 'reservation', label: 'reservation', type: 'text' };
const name: Field = { name: 'name', label: 'namespace', type: 'text' };
const modes = ['open', 'writers', 'append-only'];
const from: Field = {
  name: 'height',
  label: 'from block',
  type: 'height',
  isOptional: true,
};

/** Of every proposal, besides its change. */
const proposal: readonly Field[] = [
  { name: 'expiryHeight', label: 'to be approved until block', type: 'height', first: '+1000' },
  { name: 'replaces', label: 'in the place of my open proposal', type: 'flag' },
];

/** All that a transaction can do (`ledger/operation.ts`). */
export const operationKinds: readonly PartKind[] = [
  { label: 'pay', noun: 'payment', type: 'transfer', fields: [amount, to, memo] },
  {
    label: 'write a record',
    noun: 'record',
    type: 'put',
    fields: [
      { ...key, first: 'note' },
      { name: 'text', label: 'with', type: 'lines' },
    ],
  },
  {
    label: 'write a record in bytes',
    noun: 'bytes',
    type: 'put',
    fields: [key, { name: 'value', label: 'in hex', type: 'text' }],
  },
  { label: 'delete a record', noun: 'deletion', type: 'delete', fields: [key] },
  { label: 'give a record away', noun: 'gift', type: 'give', fields: [key, to] },
  {
    label: 'set coins aside',
    noun: 'reservation',
    type: 'reserve',
    fields: [
      amount,
      { ...to, label: 'for' },
      { name: 'expiryHeight', label: 'until block', type: 'height', first: '+1000' },
      memo,
    ],
  },
  { label: 'take what was set aside', noun: 'taking', type: 'post', fields: [reservation, amount] },
  { label: 'let go of what was set aside', noun: 'release', type: 'void', fields: [reservation] },
  {
    label: 'open a namespace',
    noun: 'namespace',
    type: 'open-namespace',
    fields: [
      name,
      { name: 'mode', label: 'mode', type: 'choice', choices: modes },
      { name: 'writers', label: 'writers', type: 'accounts' },
    ],
  },
  {
    label: 'change a namespace',
    noun: 'change',
    type: 'set-namespace',
    fields: [
      name,
      { name: 'mode', label: 'mode', type: 'choice', choices: modes, isOptional: true },
      { name: 'writers', label: 'all its writers', type: 'accounts', isOptional: true },
      { name: 'owner', label: 'new owner', type: 'account', isOptional: true },
    ],
  },
  {
    label: 'change who signs for the account',
    noun: 'keys',
    type: 'set-keys',
    fields: [
      { name: 'threshold', label: 'how many sign', type: 'whole', first: '1' },
      { name: 'keys', label: 'of these keys', type: 'accounts' },
      { name: 'force', label: 'without a proof that they are held', type: 'flag' },
    ],
  },
  {
    label: 'propose a protocol version',
    noun: 'proposal',
    type: 'propose-change',
    change: 'protocol-version',
    fields: [
      { name: 'version', label: 'version', type: 'whole' },
      { ...from, isOptional: false, first: '+2000' },
      ...proposal,
    ],
  },
  {
    label: 'propose a fee floor',
    noun: 'proposal',
    type: 'propose-change',
    change: 'fee-floor',
    fields: [{ name: 'feePerOperation', label: 'for each operation', type: 'amount' }, from, ...proposal],
  },
  {
    label: 'propose limits of a block',
    noun: 'proposal',
    type: 'propose-change',
    change: 'limits',
    fields: [
      { name: 'maxTransactions', label: 'transactions', type: 'whole' },
      { name: 'maxOperations', label: 'operations', type: 'whole' },
      { name: 'maxBytes', label: 'bytes', type: 'whole' },
      from,
      ...proposal,
    ],
  },
  {
    label: 'propose other validators (PBFT)',
    noun: 'proposal',
    type: 'propose-change',
    change: 'validators',
    fields: [{ name: 'validators', label: 'all of them, in order', type: 'accounts' }, ...proposal],
  },
  {
    label: 'approve a proposal',
    noun: 'approval',
    type: 'approve-change',
    fields: [{ name: 'proposal', label: 'its id', type: 'text' }],
  },
];

/** All conditions that a transaction can have (`ledger/condition.ts`). */
export const conditionKinds: readonly PartKind[] = [
  { label: 'there is no such record', noun: 'condition', type: 'record-absent', fields: [key] },
  { label: 'there is such a record', noun: 'condition', type: 'record-exists', fields: [key] },
  {
    label: 'a record is in a version',
    noun: 'condition',
    type: 'record-version',
    fields: [key, { name: 'version', label: 'version', type: 'whole' }],
  },
  {
    label: 'a record has a value',
    noun: 'condition',
    type: 'record-hash',
    fields: [key, { name: 'hash', label: 'SHA-256 of the value', type: 'text' }],
  },
  {
    label: 'an account has enough',
    noun: 'condition',
    type: 'balance-at-least',
    fields: [
      { name: 'account', label: 'account', type: 'account' },
      { ...amount, label: 'at least' },
    ],
  },
  {
    label: 'it is not too high',
    noun: 'condition',
    type: 'height-at-most',
    fields: [{ name: 'height', label: 'at most block', type: 'height', first: '+100' }],
  },
  {
    label: 'it is not too late',
    noun: 'condition',
    type: 'time-at-most',
    fields: [{ name: 'time', label: 'at most', type: 'time', first: '' }],
  },
];
