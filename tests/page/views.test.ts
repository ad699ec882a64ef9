// What the views compute: arguments as people edit them, rulings, rows, amounts, images, routes.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ruling } from '../../static/src/views/ruling.ts';
import { changes, fieldText, readField, readObject, shapeOf, summary } from '../../static/src/views/arguments.ts';
import { imagesNamed } from '../../static/src/views/images_named.ts';
import { parsed } from '../../static/src/views/address.ts';
import { endWords } from '../../static/src/views/note_words.ts';
import { FIRST, grown, inSight, rowsOf, windowStart } from '../../static/src/views/rows.ts';
import type { LinkView } from '../../static/src/link/link.ts';
import { secondsLeft, troubleOf } from '../../static/src/views/trouble.ts';
import type { Entry } from '../../static/src/store/state.ts';
import { words } from '../../static/src/words/en.ts';
import { mayStop } from '../../static/src/store/rights.ts';
import { problem, remedy, turnRemedy } from '../../static/src/words/remedies.ts';

const { ago, bytes, count, moment, money, seconds } = words.amounts;
const contract = readFileSync(fileURLToPath(new URL('../../docs/wire.md', import.meta.url)), 'utf8');
const SOURCES = fileURLToPath(new URL('../../static/src', import.meta.url));
/** The names in `backquotes`, one or several in each. */
const quotedIn = (text: string): string[] =>
  [...text.matchAll(/`([^`]*)`/g)].flatMap(([, all = '']) => (/^[a-z_ ]+$/.test(all) ? all.split(' ') : []));

const said = (key: string, more: Partial<Entry> = {}): Entry =>
  ({
    ...{ kind: 'user', key, turn: key, at: '', submission: key, text: `text of ${key}`, author: 'dev' },
    ...{ steered: false, attachments: [], ...more },
  }) as Entry;

describe('arguments', () => {
  it('become fields by what they are', () => {
    expect(shapeOf('command', 'ls')).toBe('script');
    expect(shapeOf('path', 'a.txt')).toBe('line');
    expect(shapeOf('path', 'two\nlines')).toBe('script');
    expect(shapeOf('timeout', 3)).toBe('number');
    expect(shapeOf('all', true)).toBe('boolean');
    expect(shapeOf('items', [])).toBe('json');
  });

  it('are read as they are written', () => {
    expect(['ls', 3, true, null, { a: 1 }].map(fieldText)).toEqual(['ls', '3', 'true', 'null', '{\n  "a": 1\n}']);
  });

  it('keep their types when they are edited', () => {
    expect(readField('timeout', '30', 3)).toEqual({ value: 30 });
    expect(readField('timeout', 'soon', 3)).toHaveProperty('problem');
    expect(readField('timeout', '', 3)).toHaveProperty('problem');
    expect(readField('command', '30', 'ls')).toEqual({ value: '30' });
    expect(readField('all', 'false', true)).toEqual({ value: false });
    expect(readField('items', '[1', [])).toHaveProperty('problem');
  });

  it('are one object when they are written as JSON', () => {
    expect(readObject('{"a": 1}')).toEqual({ value: { a: 1 } });
    for (const text of ['[1]', 'null', '3', 'no json']) expect(readObject(text)).toHaveProperty('problem');
  });

  it('differ by name, whatever the order of their names', () => {
    expect(changes({ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } })).toEqual([]);
    const before = { command: 'rm a', timeout: 3 };
    expect(changes(before, { command: 'ls', path: 'b' })).toEqual([
      { name: 'command', before: 'rm a', after: 'ls' },
      { name: 'timeout', before: '3', after: '' },
      { name: 'path', before: '', after: 'b' },
    ]);
  });

  it('are told in one line', () => {
    expect(summary('bash', { command: 'ls\nrm x', description: 'Look' })).toEqual({ text: 'Look', plain: true });
    expect(summary('bash', { command: 'ls\nrm x' })).toEqual({ text: 'ls', plain: false });
    expect(summary('research', { task: 'Find\nit' })).toEqual({ text: 'Find', plain: true });
    expect(summary('plan', { items: [{}, {}] }).text).toBe('2 steps');
    expect(summary('other', { a: 1, b: 2 }).text).toBe('a, b');
  });
});

describe('a ruling', () => {
  const given = { command: 'rm a', timeout: 3 };

  it('approves what was asked when nothing was edited', () => {
    expect(new Ruling('c1', given).approval()).toEqual({ call: 'c1', decision: 'approve' });
  });

  it('sends edited arguments whole', () => {
    const ruling = new Ruling('c1', given);
    ruling.turnTo('form');
    ruling.write('command', 'ls');
    ruling.remember.value = true;
    expect(ruling.approval()).toEqual({
      ...{ call: 'c1', decision: 'approve', remember: 'session' },
      arguments: { command: 'ls', timeout: 3 },
    });
  });

  it('goes from form to JSON and back without losing a word', () => {
    const ruling = new Ruling('c1', given);
    ruling.turnTo('form');
    ruling.write('command', 'ls');
    ruling.turnTo('json');
    ruling.json.value = JSON.stringify({ command: 'ls -l', fresh: 'text' });
    ruling.turnTo('form');
    ruling.write('fresh', 'more text');
    expect(ruling.approval()?.arguments).toEqual({ command: 'ls -l', fresh: 'more text' });
  });

  it('says what cannot be read, and sends nothing', () => {
    const ruling = new Ruling('c1', given);
    ruling.turnTo('json');
    ruling.json.value = '{';
    expect(ruling.approval()).toBeNull();
    expect(ruling.problem.value).toContain('not JSON yet');
    ruling.turnTo('form');
    expect(ruling.mode.value).toBe('json');
    ruling.reset();
    expect(ruling.approval()).toEqual({ call: 'c1', decision: 'approve' });
  });

  it('rejects with a reason where one is given', () => {
    const ruling = new Ruling('c1', given);
    expect(ruling.rejection()).toEqual({ call: 'c1', decision: 'reject' });
    ruling.why.value = ' No. ';
    expect(ruling.rejection()).toEqual({ call: 'c1', decision: 'reject', feedback: 'No.' });
  });
});

describe('a lost connection', () => {
  const lost: LinkView = { phase: 'waiting', lostAt: 50_000, dialAt: 54_000, reason: null, offline: false };

  it.each([
    [0, 'none'],
    [2_999, 'none'],
    [3_000, 'chip'],
    [9_999, 'chip'],
    [10_000, 'banner'],
    [3_600_000, 'banner'],
  ])('after %i ms it is worth: %s', (ms, worth) => {
    for (const phase of ['connecting', 'open', 'waiting'] as const) {
      expect(troubleOf({ ...lost, phase }, 50_000 + ms), phase).toBe(worth);
    }
  });

  it.each([
    [{ phase: 'settled', lostAt: null }, 'none'],
    [{ phase: 'closed' }, 'none'],
    [{ phase: 'closed', reason: 'ended' }, 'gone'],
  ] as const)('%o is no loss: %s', (change, worth) => {
    expect(troubleOf({ ...lost, ...change }, 3_600_000)).toBe(worth);
  });

  it('is counted down in whole seconds, and never below none', () => {
    expect([50_000, 50_001, 53_000, 53_999, 54_000, 60_000].map((now) => secondsLeft(lost, now))).toEqual([4, 4, 1, 1, 0, 0]);
    expect(secondsLeft({ ...lost, dialAt: null }, 50_000)).toBe(0);
  });
});

describe('rows', () => {
  it('fold undone turns that stand together into one', () => {
    const rows = rowsOf([said('a'), said('b', { undone: 'x' }), said('c', { undone: 'y' }), said('d')]);
    expect(rows.map((row) => row.key)).toEqual(['a', 'f:c', 'd']);
    expect(rows[1]).toMatchObject({ turns: 2, asked: 'text of c' });
    const note = { kind: 'note', key: 'e', undone: 'x' } as Entry;
    expect(rowsOf([note])).toMatchObject([{ key: 'f:e', turns: 1, asked: '' }]);
  });

  it('are mounted from the end, and stay where the reader is', () => {
    const rows = rowsOf(Array.from({ length: 400 }, (_, at) => said(`k${at}`)));
    expect(windowStart(rows, null, true)).toBe(400 - FIRST);
    expect(windowStart(rows, 'k300', true)).toBe(300);
    expect(windowStart(rows, 'k10', true)).toBe(400 - FIRST);
    expect(windowStart(rows, 'k10', false)).toBe(10);
    expect(windowStart(rows, 'gone', false)).toBe(400 - FIRST);
  });

  it('are first as many as a window shows, then as many as are mounted', () => {
    expect(inSight(800)).toBe(20);
    expect(inSight(10_000)).toBe(FIRST);
    const rows = rowsOf(Array.from({ length: 400 }, (_, at) => said(`k${at}`)));
    const steps: (number | null)[] = [windowStart(rows, null, true, 20)];
    while (steps.at(-1) != null) steps.push(grown(rows, steps.at(-1)!, 25));
    expect(steps).toEqual([380, 355, 340, null]);
    expect(grown(rows.slice(0, 30), 10, 25)).toBe(0);
    expect(grown(rows, 100, 25)).toBeNull();
  });
});

it('tells amounts shortly', () => {
  expect([999, 1_000, 9_960, 32_000, 1_250_000].map(count)).toEqual(['999', '1.0k', '10k', '32k', '1.3M']);
  expect([5, 2_048, 3 * 1024 * 1024].map(bytes)).toEqual(['5 B', '2 KB', '3.0 MB']);
  expect([0.24, 12, 59.7, 3_725].map(seconds)).toEqual(['0.2 s', '12 s', '1 min 0 s', '1 h 2 min']);
  expect([0, 0.0001, 0.0123, 12.5].map(money)).toEqual(['$0', '<$0.001', '$0.012', '$12.50']);
});

it('tells what is sent later, messages and decisions apart', () => {
  const { later } = words.connection;
  expect(later(1, 0)).toBe('1 message is sent when it is back.');
  expect(later(0, 1)).toBe('1 decision is sent when it is back.');
  expect(later(2, 1)).toBe('2 messages and 1 decision are sent when it is back.');
});

it('lets everybody stop a turn but those who only look on', () => {
  const may = (['owner', 'driver', 'operator', 'viewer'] as const).filter((access) => mayStop({ access }));
  expect(may).toEqual(['owner', 'driver', 'operator']);
});

it('tells how long ago something was, also to a clock that is behind', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const after = (ms: number): string => ago(at, Date.parse(at) + ms);
  expect([-5_000, 59_000, 61_000, 7_200_000, 3 * 86_400_000].map(after)).toEqual(['now', 'now', '1 min', '2 h', '3 d']);
});

it('tells a moment as a clock and a calendar do', () => {
  const at = (...when: readonly [number, number, number]): string => moment(new Date(2026, ...when, 4).toISOString());
  expect(at(0, 5, 15)).toBe('Jan 5, 2026, 3:04 PM');
  expect(at(11, 31, 0)).toBe('Dec 31, 2026, 12:04 AM');
  expect(at(5, 1, 12)).toBe('Jun 1, 2026, 12:04 PM');
  expect(moment('')).toBe('');
  const long = new Date(2026, 1, 3).toISOString();
  expect(ago(long, Date.parse(long) + 30 * 86_400_000)).toBe('Feb 3');
});

it('finds images of the workspace in a text, and nothing from elsewhere', () => {
  expect(imagesNamed('saved plots/loss.png and ./b.jpg, b.jpg')).toEqual(['plots/loss.png', 'b.jpg']);
  expect(imagesNamed('wrote /workspace/out/a.png and ![Loss](./plots/my%20loss.png "x")')).toEqual(['plots/my loss.png', 'out/a.png']);
  expect(imagesNamed('![](<my loss.png>) ![x](100%.png)')).toEqual(['my loss.png', '100%.png']);
  expect(imagesNamed('https://evil.example/x.png ../up.png /etc/a.png a.pngx')).toEqual([]);
  const far = ['https://evil.example/x.png', '//evil.example/x.png', '/etc/a.png', '../a.png', 'a/%2e%2e/b.png'];
  const odd = ['data:image/png;base64,x.png', 'javascript:x.png', 'x.png?y', 'a.png#b', '\\\\evil\\a.png', 'x.svg'];
  for (const source of [...far, ...odd]) expect(imagesNamed(`![](<${source}>)`), source).toEqual([]);
});

it('reads addresses, broken ones too', () => {
  expect(parsed('#/s/s_1')).toEqual({ view: 'session', id: 's_1' });
  expect(parsed('#/s/a%20b')).toEqual({ view: 'session', id: 'a b' });
  expect(parsed('#/s/%E0')).toEqual({ view: 'list' });
  expect(parsed('#/dashboard')).toEqual({ view: 'dashboard' });
  expect(parsed('#/new')).toEqual({ view: 'new' });
  expect(parsed('')).toEqual({ view: 'list' });
});

it('knows a way out of an error, and says nothing about one it does not know', () => {
  expect(remedy('too_many_sessions')).toContain('Delete a session');
  expect(remedy('unheard_of')).toBe('');
  expect(turnRemedy('unauthorized')).toContain('another model');
});

it('knows a way out of everything that the contract says may be refused', () => {
  const statuses = [...contract.matchAll(/^\| (?:4|5)\d\d \| (.*) \|$/gm)].map(([, cell = '']) => cell.replaceAll(/\([^)]*\)/g, ''));
  const refusals = /not remembered: the id stays free\. Codes: (.*?)\. A frame/s.exec(contract)?.[1] ?? '';
  const codes = [...statuses, refusals].flatMap(quotedIn);
  const ofOtherClients = ['method_not_allowed', 'upgrade_required'];
  expect(codes).toEqual(expect.arrayContaining(['too_many_queued', 'disk_full']));
  expect(codes.filter((code) => !ofOtherClients.includes(code) && remedy(code) === '')).toEqual([]);
});

it('never asks a person to refresh or reload the page', () => {
  const folder = fileURLToPath(new URL('../../static/src/words/', import.meta.url));
  const tables = readdirSync(folder).map((name) => readFileSync(folder + name, 'utf8'));
  expect(tables.join('\n')).toContain('No connection to the server.');
  expect(tables.flatMap((table) => table.split('\n')).filter((line) => /refresh|reload/i.test(line))).toEqual([]);
});

it('knows a way out of every end of a turn that the contract names', () => {
  const ofModels = /^Codes of `retrying\.error`.*? has: (.*?) More may come/ms.exec(contract)?.[1] ?? '';
  const codes = quotedIn(ofModels);
  expect(codes).toEqual(expect.arrayContaining(['overloaded', 'stream_cut', 'unauthorized', 'context_overflow']));
  expect(codes.filter((code) => turnRemedy(code) === '')).toEqual([]);
  const reasons = quotedIn(/Status `limit` names in `reason` what ran out \((.*?)\)/.exec(contract)?.[1] ?? '');
  expect(reasons).toEqual(expect.arrayContaining(['iterations', 'time']));
  for (const reason of reasons) {
    const [told] = endWords({ ...{ type: 'turn_ended', seq: 1, at: '', turn: 't' }, status: 'limit', reason });
    expect(told).toContain(words.ended.limits[reason] ?? 'a word for it');
    expect(told).toMatch(/limit: .*\. Say .*\.$/);
  }
});

it('knows a way out of everything that the page itself finds wrong', () => {
  const rooms = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  const sources = rooms.map((name) => readFileSync(join(SOURCES, name), 'utf8')).join('\n');
  const codes = [...sources.matchAll(/(?:\btell\(|new Problem\(|abandon\(|\bcode(?::| =)) ?'([a-z_]+)'/g)].map(([, code = '']) => code);
  expect(codes).toEqual(expect.arrayContaining(['not_connected', 'stale_approval', 'offline', 'unexpected', 'no_such_session']));
  expect(codes.filter((code) => remedy(code) === '')).toEqual([]);
  expect(problem('offline', '')).toMatch(/^The server does not answer\. It is tried again/);
  expect(problem('unexpected', 'HTTP 502.')).toMatch(/^HTTP 502\. .*tell the operator\.$/);
});
