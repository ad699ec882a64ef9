// Frames for tests, and the golden logs.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type {
  DurableEvent,
  Hello,
  ServerFrame,
  Session,
  TextDelta,
  ToolLog,
} from '../../static/src/wire.ts';

export const AT = '2026-11-20T19:00:00.000Z';
export const SESSION: Session = {
  ...{
    id: 's1',
    title: '',
    owner: 'dev',
    model: 'demo',
    state: 'idle',
    created_at: AT,
    active_at: AT,
  },
  ...{ head: 9, queue: 0, pending_approvals: 0 },
  usage: { input_tokens: 1000, output_tokens: 200, cost_usd: 0.5 },
  last_turn: null,
};

export const hello = (from = 1, mode: Hello['mode'] = 'replay', log = 'L', head = 9): Hello => ({
  ...{ type: 'hello', protocol: 1, session: SESSION, log, head, mode, from },
});
type Fields<T extends DurableEvent['type']> = Omit<
  Extract<DurableEvent, { type: T }>,
  'type' | 'seq' | 'at'
>;
export const event = <T extends DurableEvent['type']>(seq: number, type: T, fields: Fields<T>) =>
  ({ type, seq, at: AT, ...fields }) as unknown as Extract<DurableEvent, { type: T }>;
export const delta = (offset: number, text: string): TextDelta => ({
  ...{ type: 'text_delta', turn: 't1', item: 'i1', offset, text },
});
export const log = (offset: number, text: string, skipped = 0): ToolLog => ({
  ...{ type: 'tool_log', turn: 't1', call: 'c1', offset, text, skipped },
});
export const synced = (seq: number): ServerFrame => ({ type: 'synced', seq });
export const isEvent = (frame: ServerFrame): frame is DurableEvent =>
  'seq' in frame && 'at' in frame;

const GOLDEN = fileURLToPath(new URL('../golden/', import.meta.url));
export const golden = readdirSync(GOLDEN)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => name.slice(0, -'.jsonl'.length));
export const goldenFrames = (name: string): ServerFrame[] =>
  readFileSync(`${GOLDEN}${name}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ServerFrame);
export const goldenSummary = (name: string): unknown =>
  JSON.parse(readFileSync(`${GOLDEN}${name}.expected.json`, 'utf8'));
