// The HTTP half of the contract: one call, its shapes, and errors that say what to do.

import type { DurableEvent, Session } from '../wire.ts';

export interface Me {
  readonly user: { readonly id: string; readonly name: string; readonly role: string };
  readonly auth: 'dev' | 'token' | 'oauth';
}
export interface ModelOffer {
  readonly id: string;
  readonly label: string;
  readonly context: number;
  readonly available: boolean;
  readonly why_not?: string;
}
export interface ModelOffers {
  readonly models: readonly ModelOffer[];
  readonly default: string;
}
export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly next_cursor: string | null;
}
export interface EventsPage {
  readonly events: readonly DurableEvent[];
  readonly head: number;
  readonly oldest: number;
  readonly more: boolean;
}
export interface FileEntry {
  readonly path: string;
  readonly size: number;
  readonly modified: string;
}
export interface FileList {
  readonly files: readonly FileEntry[];
}

/** `code` is stable and says what to do; `status` is 0 where nobody answered. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly retryAfter: number | null;
  /** Where a browser can log in. */
  readonly login: string | null;

  constructor(
    code: string,
    message: string,
    status = 0,
    retryAfter: number | null = null,
    login: string | null = null,
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.login = login;
  }
}

interface Asked {
  readonly body?: unknown;
  /** Repeats with the same key have one effect. */
  readonly key?: string;
  /** The page may go before the answer comes. */
  readonly keepalive?: boolean;
}

const PATIENCE_MS = 30_000;
export type Call = <T>(method: string, path: string, asked?: Asked) => Promise<T>;

/** A call answered 204 gives null. Raises Problem. */
export const call: Call = async <T>(
  method: string,
  path: string,
  { body, key, keepalive = false }: Asked = {},
): Promise<T> => {
  const headers: Record<string, string> = {};
  if (key !== undefined) headers['Idempotency-Key'] = key;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(`/api${path}`, {
      ...{ method, headers, keepalive, credentials: 'same-origin' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Problem('offline', '');
  }
  if (answer.status === 204) return null as T;
  const said: unknown = await answer.json().catch(() => null);
  if (answer.ok && said !== null) return said as T;
  throw problemOf(answer.status, said);
};

/** What the body of an error or a refusal says; proxies say things of their own. */
export function problemOf(status: number, said: unknown): Problem {
  const body = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>;
  const error = (body['type'] === 'refused' ? body : (body['error'] ?? {})) as typeof body;
  const { code = 'unexpected', message = `HTTP ${status}.` } = error;
  const wait = Number(error['retry_after']) || null;
  const login = typeof error['login'] === 'string' ? error['login'] : null;
  return new Problem(String(code), String(message), status, wait, login);
}

export const sessionPath = (id: string, rest = ''): string =>
  `/sessions/${encodeURIComponent(id)}${rest}`;

export const filePath = (id: string, path: string): string =>
  sessionPath(id, `/files/${path.split('/').map(encodeURIComponent).join('/')}`);
