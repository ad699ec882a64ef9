// The words on and around texts: code, links, logs, changes.

import { count } from './en_amounts.ts';

export const textWords = {
  code: (language: string) => (language ? `Code, ${language}` : 'Code'),
  table: 'Table',
  image: 'image',
  wrap: 'Wrap',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Not allowed here',
  log: 'Output',
  follow: 'Follow',
  gone: (characters: number) => `${count(characters)} earlier characters are gone`,
  goneLines: 'Earlier lines are not shown',
  changes: 'Changes',
  same: (lines: number) => (lines === 1 ? '1 unchanged line' : `${count(lines)} unchanged lines`),
  noChanges: 'No changes',
  added: 'added',
  removed: 'removed',
} as const;
