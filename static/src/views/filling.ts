// What a person has filled in of a form that a server of tools asks: kept apart from the page, as rulings are.

import { signal, type Signal } from '@preact/signals';
import type { Field, Json, JsonObject, QuestionAsked } from '../wire.ts';
import { words } from '../words/en.ts';

export type Value = string | boolean | readonly string[];

export class Filling {
  readonly values: Signal<Readonly<Record<string, Value>>>;
  /** Set when somebody tried to send what cannot be. */
  readonly problem = signal('');
  readonly #fields: readonly Field[];

  constructor({ fields = [] }: Pick<QuestionAsked, 'fields'>) {
    this.#fields = fields;
    this.values = signal(Object.fromEntries(fields.map((field) => [field.name, begun(field)])));
  }

  write(name: string, value: Value): void {
    this.values.value = { ...this.values.value, [name]: value };
    this.problem.value = '';
  }

  /** The answer as it stands, or null while it cannot be sent; what is left blank is left out. */
  content(): JsonObject | null {
    const content: Record<string, Json> = {};
    for (const field of this.#fields) {
      const value = this.values.value[field.name]!;
      const isBlank = value === '' || (Array.isArray(value) && value.length === 0);
      if (isBlank && field.required) return this.#stop(words.question.missing(nameOf(field)));
      if (isBlank) continue;
      const read = isNumber(field) ? Number(value) : value;
      if (typeof read === 'number' && Number.isNaN(read)) return this.#stop(words.question.notNumber(nameOf(field)));
      content[field.name] = read;
    }
    return content;
  }

  #stop(problem: string): null {
    this.problem.value = problem;
    return null;
  }
}

/** The answers that somebody has begun in one session. */
export class Fillings {
  readonly #all = new Map<string, Filling>();

  of(asked: QuestionAsked): Filling {
    let filling = this.#all.get(asked.question);
    if (!filling) {
      filling = new Filling(asked);
      this.#all.set(asked.question, filling);
    }
    return filling;
  }
}

export const nameOf = ({ name, title }: Field): string => title ?? name;

const isNumber = ({ kind }: Field): boolean => kind === 'number' || kind === 'integer';

function begun({ kind, default: given }: Field): Value {
  if (kind === 'boolean') return given === true;
  if (kind === 'choices') return Array.isArray(given) ? given : [];
  return given == null ? '' : String(given);
}
