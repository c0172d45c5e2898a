import type { $ZodIssue } from 'zod/v4/core';
import type { Problem } from '../base/problem.ts';
import { apiProblem } from './problem-answer.ts';

/** What schemas call the kinds of values, as words. */
const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
};
/** Longer text is not repeated. */
const longestShown = 64;

/**
 * The problem of a part of a request (`body`, `querystring`, `params` or `headers`) that is not as its schema
 * says: which value at which path is wrong, what is expected there, and what came.
 */
export function invalidRequest(part: string, issues: readonly $ZodIssue[], input: unknown): Problem {
  const issue = clearest(issues);
  const path = issue?.path ?? [];
  const where = [part, ...path].map(String).join('/');
  const value = at(input, path);
  const isRepeated = part !== 'body' && Array.isArray(value);
  const what =
    issue === undefined ? 'is not valid' : isRepeated ? 'is given more than once' : wordsOf(issue, value);
  return apiProblem('api/invalid-request', `${where}: ${what}`, {
    remedy: 'See /v1/openapi.json for what this path takes.',
    details: { where },
  });
}

/**
 * Of several forms that a value may have, the one that was meant is the one that fits best; when none does,
 * what they have in common is said.
 */
function clearest([first]: readonly $ZodIssue[]): $ZodIssue | undefined {
  if (first?.code !== 'invalid_union') return first;
  const [best, second] = first.errors.toSorted((a, b) => a.length - b.length);
  if (best === undefined || best.length === second?.length) return first;
  const inner = clearest(best);
  return inner && { ...inner, path: [...first.path, ...inner.path] };
}

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function wordsOf(issue: $ZodIssue, value: unknown): string {
  const { code } = issue;
  if (code === 'invalid_type') {
    return mismatch(ownWords(issue) ?? `must be ${kinds[issue.expected] ?? issue.expected}`, value);
  }
  if (code === 'invalid_union') {
    const must = ownWords(issue) ?? 'must have one of its forms';
    return isPlainObject(value) ? `${must}, and it ${fieldsIn(value)}` : mismatch(must, value);
  }
  if (code === 'invalid_value') {
    return mismatch(`must be ${issue.values.map((one) => JSON.stringify(one)).join(' or ')}`, value);
  }
  if (code === 'unrecognized_keys') {
    return `takes no ${issue.keys.map((key) => JSON.stringify(key.slice(0, longestShown))).join(', ')}`;
  }
  if (code === 'too_small') {
    return issue.origin === 'string' ? 'must not be empty' : `must have at least ${issue.minimum}`;
  }
  if (code === 'too_big') {
    return `must have at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
  }
  return issue.message;
}

/** What a schema says for itself of what it takes. */
function ownWords({ message }: $ZodIssue): string | undefined {
  return message.startsWith('must ') ? message : undefined;
}

function mismatch(must: string, value: unknown): string {
  return value === undefined ? `is missing: it ${must}` : `${must}, and it is ${kindOf(value)}`;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** That it is an object says nothing where an object is meant. */
function fieldsIn(value: object): string {
  const names = Object.keys(value);
  if (names.length === 0) return 'is empty';
  const shown = names.slice(0, 4).map((name) => JSON.stringify(name.slice(0, longestShown)));
  return `has ${shown.join(', ')}${names.length > shown.length ? ' and others' : ''}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string' && value.length > longestShown) return 'another text';
  if (typeof value !== 'number') return JSON.stringify(value);
  return Number.isFinite(value) ? `the number ${value}` : 'a number that is too large';
}

/**
 * The problem of a query that is not percent-encoded UTF-8: what is read in its place would be another name.
 */
export function badQuery(url: string): Problem | undefined {
  const start = url.indexOf('?');
  if (start < 0) return undefined;
  try {
    decodeURIComponent(url.slice(start + 1));
    return undefined;
  } catch {
    return apiProblem('api/bad-path', 'the query is not percent-encoded UTF-8', {
      remedy: 'Percent-encode each name and value as UTF-8.',
    });
  }
}
