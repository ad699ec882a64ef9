// Who else has a session: shares by name and by link, and taking a link up.

import { type Call, sessionPath } from '../link/api.ts';
import type { Session } from '../wire.ts';

export type ShareRole = 'viewer' | 'driver';
/** With `user`, or by a link that can be used until `expires_at`; `link` is told once. */
export interface Share {
  readonly id: string;
  readonly role: ShareRole;
  readonly by: string;
  readonly created_at: string;
  readonly used: readonly { readonly user: string; readonly at: string }[];
  readonly user?: string;
  readonly expires_at?: string;
  readonly link?: string;
}

const sharesPath = (session: string, share = ''): string => sessionPath(session, `/shares${share}`);

export async function sharesOf(call: Call, session: string): Promise<readonly Share[]> {
  return (await call<{ readonly shares: readonly Share[] }>('GET', sharesPath(session))).shares;
}

/** Without a `user` it is a link for whoever has it. */
export const share = (call: Call, session: string, role: ShareRole, user = ''): Promise<Share> =>
  call('POST', sharesPath(session), { body: user ? { role, user } : { role } });

export const revoke = (call: Call, session: string, id: string): Promise<null> =>
  call('DELETE', sharesPath(session, `/${encodeURIComponent(id)}`));

/** The session that the link is for. */
export async function redeem(call: Call, secret: string): Promise<string> {
  const { session } = await call<{ readonly session: Session }>('POST', '/shares/redeem', { body: { secret } });
  return session.id;
}
