// What lies before the tail that came over the socket: had page by page, and at once what still stands of it.

import { type EventsPage, Problem, sessionPath } from '../link/api.ts';
import { STANDING, earlier, grounded, standsAlone } from '../store/earlier.ts';
import { asking } from '../store/entries.ts';
import { NAMELESS, type SessionState } from '../store/state.ts';
import type { DurableEvent } from '../wire.ts';
import type { Feed } from './feed.ts';
import type { Ways } from './ways.ts';

const PAGE = 500;
/** Pages of standing events that are had; what is further back is not asked for. */
const MOST_STANDING = 20;
/** Pages that are had at once where one holds only a part of a reply. */
const MOST_OF_A_REPLY = 8;
const RETRY_MS = 5_000;

export class Past {
  readonly #id: string;
  readonly #ways: Ways;
  readonly #feed: Feed;
  #loading: Promise<boolean> | null = null;
  #mending = false;
  #closed = false;

  constructor(id: string, ways: Ways, feed: Feed) {
    this.#id = id;
    this.#ways = ways;
    this.#feed = feed;
  }

  close(): void {
    this.#closed = true;
  }

  /** One page of what was before; false where there is nothing more, or it could not be had. */
  page(): Promise<boolean> {
    this.#loading ??= this.#told(() => this.#page()).finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** Pages until `there`, or there is nothing more. */
  async until(there: (state: SessionState) => boolean): Promise<void> {
    while (!there(this.#state) && (await this.page()));
  }

  /** Gets what the state is not true without; call it with each new one. */
  consider(state: SessionState): void {
    if (this.#closed || this.#mending || !(lacksGround(state) || lacksMore(state))) return;
    this.#mending = true;
    const mended = () => {
      this.#mending = false;
      this.consider(this.#state);
    };
    void this.#mend().then((good) => (good ? mended() : this.#ways.world.after(RETRY_MS, mended)));
  }

  get #state(): SessionState {
    this.#feed.flush();
    return this.#feed.state.peek();
  }

  async #mend(): Promise<boolean> {
    try {
      if (lacksGround(this.#state)) await this.#ground();
      while (lacksMore(this.#state)) if (!(await this.#page())) return false;
      return true;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return false;
    }
  }

  async #ground(): Promise<void> {
    const { oldest, log } = this.#state;
    const found: DurableEvent[] = [];
    for (let pages = 0, more = true; more && pages < MOST_STANDING; pages += 1) {
      const before = found[0]?.seq ?? oldest;
      const page = await this.#ask(`types=${STANDING.join(',')}&before=${before}`);
      found.unshift(...page.events);
      more = page.more;
    }
    const state = this.#state;
    if (state.log === log && state.oldest <= oldest) this.#feed.replace(grounded(state, found));
  }

  /** Whether there is more now than before. */
  async #page(): Promise<boolean> {
    const { oldest, log } = this.#state;
    if (oldest <= 1) return false;
    let events: readonly DurableEvent[] = [];
    for (let pages = 0; pages < MOST_OF_A_REPLY && !standsAlone(events); pages += 1) {
      const page = await this.#ask(`before=${events[0]?.seq ?? oldest}`);
      if (page.events.length === 0) break;
      events = [...page.events, ...events];
    }
    const state = this.#state;
    if (state.log === log) this.#feed.replace(earlier(state, events));
    return this.#state.oldest < oldest;
  }

  #ask(query: string): Promise<EventsPage> {
    return this.#ways.call('GET', sessionPath(this.#id, `/events?${query}&limit=${PAGE}`));
  }

  async #told(what: () => Promise<boolean>): Promise<boolean> {
    try {
      return await what();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.#ways.tell(problem.code, problem.message);
      return false;
    }
  }
}

const lacksGround = ({ synced, standing }: SessionState): boolean => synced && standing === null;

/** It waits for an answer to a question that is further back, or shows an output of nobody knows what. */
function lacksMore({ oldest, synced, status, session, entries }: SessionState): boolean {
  if (oldest <= 1 || !synced || status === null) return false;
  const asks = status.state === 'running' && (session?.pending_questions ?? 0) > 0;
  const waits =
    (status.state === 'awaiting_approval' && asking(entries).length === 0) ||
    (asks && !entries.some((entry) => entry.kind === 'tool' && entry.questions !== undefined));
  return waits || entries.some((entry) => entry.kind === 'tool' && entry.tool === NAMELESS);
}
