// An error as a person reads it: what happened, and what to do about it.

import { words } from './en.ts';

const { found, remedies, ofTurns } = words.errors;

export const remedy = (code: string | null | undefined): string => remedies[code ?? ''] ?? '';

export const turnRemedy = (code: string | null | undefined): string => ofTurns[code ?? ''] ?? '';

/** The server's sentence, or ours where it said none, and what to do. */
export const problem = (code: string, message: string): string =>
  [message || found[code], remedy(code)].filter(Boolean).join(' ');
