// What was asked of sessions that are not on screen: sent over HTTP, so that it need not wait.

import { Problem, sessionPath } from '../link/api.ts';
import type { KeptItem } from '../link/kept.ts';
import { STALE_APPROVAL_MS, isRuling, lockOf, wordsOf } from '../link/outbox.ts';
import type { Ways } from './ways.ts';

/** Nobody can take it now; it is tried again when the link is back. */
const LATER: ReadonlySet<number> = new Set([0, 401, 403, 429, 500, 502, 503, 504]);

export class Leftovers {
  readonly #ways: Ways;
  readonly #isOpen: (session: string) => boolean;
  readonly #pages = new Set<string>();
  #sending: Promise<void> | null = null;

  /** `isOpen`: whether a session is on screen, where its own outbox sends. */
  constructor(ways: Ways, isOpen: (session: string) => boolean) {
    this.#ways = ways;
    this.#isOpen = isOpen;
  }

  /** Send what this page left, and pages that are gone; call it whenever the server is back. */
  send(): Promise<void> {
    this.#sending ??= this.#pass().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #pass(): Promise<void> {
    const all = await this.#ways.kept.all();
    const { tab, locks } = this.#ways;
    for (const other of new Set(all.map((item) => item.tab))) {
      if (other === tab || this.#pages.has(other)) continue;
      this.#pages.add(other);
      locks.whenFree(lockOf(other), () => this.#adopt(other));
    }
    await this.#post(all.filter((item) => item.tab === tab));
  }

  async #adopt(tab: string): Promise<void> {
    const left = (await this.#ways.kept.all()).filter((item) => item.tab === tab);
    const mine = left.filter((item) => !this.#isOpen(item.session));
    for (const item of mine) await this.#ways.kept.put({ ...item, tab: this.#ways.tab });
    await this.#post(mine);
  }

  /** In order; a session whose first cannot be sent now keeps the rest back. */
  async #post(items: readonly KeptItem[]): Promise<void> {
    const stuck = new Set<string>();
    for (const item of items) {
      if (this.#isOpen(item.session) || stuck.has(item.session) || item.refused !== null) continue;
      if (!(await this.#sent(item))) stuck.add(item.session);
    }
  }

  async #sent(item: KeptItem): Promise<boolean> {
    const { call, kept, world } = this.#ways;
    const age = Math.abs(world.wall() - item.at);
    // To be asked again, when its session is on screen.
    if (isRuling(item.frame) && age > STALE_APPROVAL_MS) return false;
    try {
      await call('POST', sessionPath(item.session, '/submissions'), { body: item.frame });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (LATER.has(problem.status)) return false;
      await this.#refused(item, problem);
      return true;
    }
    const [next, ...then] = item.then;
    if (next === undefined) {
      await kept.remove(item.id);
      return true;
    }
    const follower = { ...item, id: next.id, frame: next, then };
    await kept.replace(item.id, follower);
    return this.#sent(follower);
  }

  /** Words stay for their writer, who sees them when the session is on screen again. */
  async #refused(item: KeptItem, { status, code, message }: Problem): Promise<void> {
    const words = status === 404 || code === 'not_queued' ? undefined : wordsOf(item);
    if (words === undefined) return this.#ways.kept.remove(item.id);
    const refused = { code, message };
    await this.#ways.kept.replace(item.id, { ...item, id: words.id, frame: words, then: [], refused });
  }
}
