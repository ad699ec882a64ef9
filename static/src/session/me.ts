// Who is asking, and which models there are to ask.

import { type ReadonlySignal, signal } from '@preact/signals';
import { type Me, type ModelOffers, Problem } from '../link/api.ts';
import { waitSeconds } from '../link/backoff.ts';
import type { Ways } from './ways.ts';

const LOGIN = '/login';

export class Myself {
  readonly #me = signal<Me | null>(null);
  readonly #models = signal<ModelOffers | null>(null);
  readonly #reason = signal<string | null>(null);
  readonly #login = signal<string | null>(null);
  readonly #ways: Ways;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  get me(): ReadonlySignal<Me | null> {
    return this.#me;
  }

  get models(): ReadonlySignal<ModelOffers | null> {
    return this.#models;
  }

  /** The code of what stands in the way; null where nothing does. */
  get reason(): ReadonlySignal<string | null> {
    return this.#reason;
  }

  /** Where a browser logs in here; null where nobody can. */
  get login(): ReadonlySignal<string | null> {
    return this.#login;
  }

  /** Which can be used depends on the keys that a person keeps. */
  async loadModels(): Promise<void> {
    this.#models.value = await this.#ways.call<ModelOffers>('GET', '/models');
  }

  /** Asks until there is an answer, or one that a repeat cannot mend; false then. */
  async load(): Promise<boolean> {
    const { call, world } = this.#ways;
    for (let failures = 0; ; failures += 1) {
      try {
        const [me, models] = [call<Me>('GET', '/me'), call<ModelOffers>('GET', '/models')];
        this.#models.value = (await Promise.all([me, models]))[1];
        this.#me.value = await me;
        if (this.#me.value.auth === 'oauth') this.#login.value = LOGIN;
        this.#reason.value = null;
        return true;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        this.#reason.value = problem.status === 401 ? 'unauthenticated' : problem.code;
        this.#login.value = problem.login;
        if (problem.status === 401 || problem.status === 403) return false;
        const seconds = waitSeconds(failures, world.random(), problem.retryAfter ?? 0);
        await new Promise<void>((resolve) => world.after(1000 * seconds, resolve));
      }
    }
  }
}
