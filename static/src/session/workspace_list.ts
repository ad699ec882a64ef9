// What is in a workspace, asked for once by all cards that want to know it at the same time.

import { call } from '../link/api.ts';
import { filesOf } from './files.ts';

type Sizes = ReadonlyMap<string, number>;
interface Asked {
  readonly session: string;
  readonly at: number;
  readonly list: Promise<Sizes>;
}

const FRESH_MS = 3_000;
let last: Asked | null = null;
let asking: Asked | null = null;

/** The sizes of all files; where a wanted one is not among those that are known, they are asked for anew. */
export async function sizes(session: string, wanted: readonly string[]): Promise<Sizes> {
  if (last?.session === session && Date.now() - last.at < FRESH_MS) {
    const known = await last.list;
    if (wanted.every((path) => known.has(path))) return known;
  }
  if (asking?.session !== session) {
    last = asking = { session, at: Date.now(), list: listed(session) };
    // Whoever asks later may know of a file that is newer than this list.
    setTimeout(() => {
      asking = null;
    });
  }
  return asking.list;
}

async function listed(session: string): Promise<Sizes> {
  try {
    const files = await filesOf(call, session);
    return new Map(files.map(({ path, size }) => [path, size]));
  } catch {
    return new Map(); // The text still names them.
  }
}
