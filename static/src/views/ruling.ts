// What a person is about to decide on one call: kept apart from the page, so that it survives a change of layout.

import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { Json, JsonObject, SentDecision } from '../wire.ts';
import { changes, fieldText, readField, readObject, same, type Change } from './arguments.ts';

type Edited = { readonly value: JsonObject } | { readonly problem: string };

export class Ruling {
  readonly call: string;
  readonly given: JsonObject;
  readonly mode = signal<'read' | 'form' | 'json'>('read');
  readonly fields = signal<Readonly<Record<string, string>>>({});
  readonly json = signal('');
  readonly remember = signal(false);
  readonly rejecting = signal(false);
  readonly why = signal('');
  /** Set when somebody tried to approve what cannot be read. */
  readonly problem = signal('');
  readonly edited: ReadonlySignal<Edited>;
  readonly changes: ReadonlySignal<readonly Change[]>;
  #shape: JsonObject = {};

  constructor(call: string, given: JsonObject) {
    this.call = call;
    this.given = given;
    this.reset();
    this.edited = computed(() => (this.mode.value === 'json' ? readObject(this.json.value) : this.#form()));
    this.changes = computed(() => {
      const edited = this.edited.value;
      return 'value' in edited ? changes(this.given, edited.value) : [];
    });
  }

  reset(): void {
    this.#fill(this.given);
    this.problem.value = '';
  }

  write(name: string, text: string): void {
    this.fields.value = { ...this.fields.value, [name]: text };
    this.problem.value = '';
  }

  /** Both editors show the same; a form cannot show what is no object. */
  turnTo(mode: 'read' | 'form' | 'json'): void {
    const edited = this.edited.value;
    if ('problem' in edited) {
      this.problem.value = edited.problem;
      return;
    }
    this.#fill(edited.value);
    this.mode.value = mode;
  }

  /** The approval as it stands, or null while what was written cannot be used. */
  approval(): SentDecision | null {
    const edited = this.edited.value;
    if ('problem' in edited) {
      this.problem.value = edited.problem;
      return null;
    }
    return {
      call: this.call,
      decision: 'approve',
      ...(same(edited.value, this.given) ? {} : { arguments: edited.value }),
      ...(this.remember.value ? { remember: 'session' as const } : {}),
    };
  }

  rejection(): SentDecision {
    const feedback = this.why.value.trim();
    return { call: this.call, decision: 'reject', ...(feedback ? { feedback } : {}) };
  }

  #fill(value: JsonObject): void {
    this.#shape = value;
    this.json.value = JSON.stringify(value, null, 2);
    this.fields.value = Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, fieldText(part)]),
    );
  }

  #form(): Edited {
    const value: Record<string, Json> = {};
    for (const [name, text] of Object.entries(this.fields.value)) {
      const read = readField(name, text, this.#shape[name] ?? null);
      if ('problem' in read) return read;
      value[name] = read.value;
    }
    return { value };
  }
}

/** The rulings of one session's open questions. */
export class Rulings {
  readonly #all = new Map<string, Ruling>();

  of(call: string, given: JsonObject): Ruling {
    let ruling = this.#all.get(call);
    if (!ruling) {
      ruling = new Ruling(call, given);
      this.#all.set(call, ruling);
    }
    return ruling;
  }
}
