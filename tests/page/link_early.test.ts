// The socket that was dialled before the page's scripts were there: taken over once, and heard from its first word.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test, vi } from 'vitest';
import { dialledEarly } from '../../static/src/link/early.ts';
import { FakeSocket } from './fake_world.ts';

const PATH = '/sessions/s1/socket?after=0&most=200';
let socket: FakeSocket;
const message = (data: string) => new MessageEvent('message', { data });

beforeEach(() => {
  socket = new FakeSocket(PATH);
});

test('it says again what nobody listened to, and goes on by itself', () => {
  const page = { early: { path: PATH, socket, heard: [message('one'), message('two'), new Event('close')] } };
  const taken = dialledEarly(PATH, page);
  const heard: string[] = [];
  expect(taken).toBe(socket);
  taken!.onmessage = ({ data }) => heard.push(String(data));
  taken!.onclose = () => heard.push('closed');
  expect(heard).toEqual([]);
  taken!.start?.();
  socket.saysText('three');
  expect(heard).toEqual(['one', 'two', 'closed', 'three']);
});

test('it is taken over once', () => {
  const page = { early: { path: PATH, socket, heard: [] } };
  dialledEarly(PATH, page);
  expect(dialledEarly(PATH, page)).toBeNull();
  expect(socket.closedByPage).toBe(false);
});

test('one for something else is closed', () => {
  const page = { early: { path: PATH, socket, heard: [message('one')] } };
  expect(dialledEarly('/sessions/s2/socket?after=0&most=200', page)).toBeNull();
  expect(dialledEarly(PATH, page)).toBeNull();
  expect(socket.closedByPage).toBe(true);
});

test('the first script dials where the address names a session, and only there', () => {
  const path = fileURLToPath(new URL('../../static/public/first.js', import.meta.url));
  const run = new Function('location', 'window', 'WebSocket', 'localStorage', readFileSync(path, 'utf8'));
  const dialled = (hash: string): { readonly early?: { readonly path: string; readonly heard: readonly Event[] } } => {
    const page = {};
    const dial = vi.fn(function (this: FakeSocket) {
      return socket;
    });
    run({ hash, origin: 'https://a.example' }, page, dial, { getItem: () => null });
    if ('early' in page) expect(dial).toHaveBeenCalledWith(`wss://a.example/api${PATH}`, 'mooring.v1');
    else expect(dial).not.toHaveBeenCalled();
    return page;
  };
  for (const hash of ['', '#/', '#/new', '#/dashboard', '#/join/s1', '#/s/', '#/s/a%2Fb']) {
    expect(dialled(hash)).toEqual({});
  }
  const { early } = dialled('#/s/s1');
  expect(early?.path).toBe(PATH);
  socket.saysText('one');
  expect(early?.heard).toHaveLength(1);
});
