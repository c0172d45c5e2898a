import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as Api from '../../src/api/schemas.ts';
import type * as Telemetry from '../../src/api/telemetry-schemas.ts';
import type * as Client from '../../src/client/answers.ts';

/** A type with its brands taken off: JSON has none. */
type Plain<T> = T extends string
  ? keyof T extends keyof string
    ? T
    : string
  : T extends number
    ? number
    : T extends boolean | null | undefined
      ? T
      : T extends readonly (infer Item)[]
        ? readonly Plain<Item>[]
        : T extends object
          ? { readonly [K in keyof T]: Plain<T[K]> }
          : T;

/** A field that came after its answer: absent in those of older nodes. */
type Since<T, Later extends keyof T> = Omit<T, Later> & Partial<Pick<T, Later>>;

type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : never) : never;

test('what the client expects is what the API’s schemas describe (checked by the compiler)', () => {
  const same: [
    Same<Client.HeaderAnswer, Api.HeaderJson>,
    Same<Client.CertificateAnswer, Api.CertificateJson>,
    Same<Client.ReceiptAnswer, Api.ReceiptJson>,
    Same<Client.TransactionAnswer, Api.TransactionJson>,
    Same<Client.FinalityAnswer, Api.FinalityJson>,
    Same<Client.EpochsAnswer, Api.EpochsJson>,
    Same<Client.GenesisAnswer, Api.GenesisJson>,
    Same<Client.InclusionAnswer, Api.InclusionJson>,
    Same<Client.TransactionStatusAnswer, Api.TransactionStatusJson>,
    Same<Client.SubmitAnswer, Api.SubmitResultJson>,
    Same<Client.ProblemAnswer, Api.ProblemPartJson>,
    Same<Client.BlockAnswer, Api.BlockJson>,
    Same<Client.AccountAnswer, Api.AccountJson>,
    Same<Client.ReservationAnswer, Api.ReservationJson>,
    Same<Client.RecordAnswer, Api.RecordJson>,
    Same<Client.RecordListAnswer, Api.RecordListJson>,
    Same<Client.NamespaceAnswer, Api.NamespaceJson>,
    Same<Client.AccountTransactionsAnswer, Api.AccountTransactionsJson>,
    Same<Client.TransactionsAnswer, Api.TransactionsJson>,
    Same<Client.RecordHistoryAnswer, Api.RecordHistoryJson>,
    Same<Client.RecordDiffAnswer, Api.RecordDiffJson>,
    Same<Client.ValidatorAnswer, Since<Api.ValidatorsJson['validators'][number], 'heard'>>,
    Same<Client.MemberAnswer, Api.MembersJson['members'][number]>,
    Same<Client.StatusAnswer, Api.StatusJson>,
    Same<Client.EvidenceItem, Since<Api.EvidenceJson['evidence'][number], 'contradiction'>>,
    Same<Client.SampleAnswer, Telemetry.SampleJson>,
    Same<Client.ViewChangeAnswer, Telemetry.ViewChangeJson>,
    Same<Client.BlockVotesAnswer, Telemetry.BlockVotesJson>,
  ] = [
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
    true,
  ];
  assert.ok(same.every(Boolean));
});
