// The HTTP half of the contract: one call, and errors that say what to do.

export class Problem extends Error {
  constructor(code, message, status = 0) {
    super(message);
    Object.assign(this, { code, status });
  }
}

export async function call(method, path, { body, key } = {}) {
  const headers = {};
  if (key) headers['Idempotency-Key'] = key;
  if (body && !(body instanceof FormData)) headers['Content-Type'] = 'application/json';
  const payload = body && !(body instanceof FormData) ? JSON.stringify(body) : body;
  let answer;
  try {
    answer = await fetch(`/api${path}`, {
      method,
      headers,
      body: payload,
      credentials: 'same-origin',
    });
  } catch {
    throw new Problem('offline', 'The server does not answer.');
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (answer.ok && said !== null) return said;
  const { code = 'unexpected', message = `The server answered ${answer.status}.` } =
    said?.error ?? {};
  throw new Problem(code, message, answer.status);
}

export const socketAddress = (path) => `${location.origin.replace(/^http/, 'ws')}/api${path}`;

export const sessionPath = (id, rest = '') => `/sessions/${encodeURIComponent(id)}${rest}`;

export const filePath = (path) => path.split('/').map(encodeURIComponent).join('/');

/** An id nobody else makes; `randomUUID` is missing on plain http beyond loopback. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
