// A list that the server keeps, and changes to it: asked for anew after each, with what went wrong.

import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Problem } from '../link/api.ts';
import { problem } from '../words/remedies.ts';

export interface KeptList<T> {
  /** Null until it has come. */
  readonly items: ReadonlySignal<readonly T[] | null>;
  readonly wrong: ReadonlySignal<string>;
  /** False where a change did not work: `wrong` says why. */
  attempt(change: () => Promise<unknown>): Promise<boolean>;
}

export function useKeptList<T>(load: () => Promise<readonly T[]>): KeptList<T> {
  const items = useSignal<readonly T[] | null>(null);
  const wrong = useSignal('');
  const attempt = async (change: () => Promise<unknown>): Promise<boolean> => {
    wrong.value = '';
    try {
      await change();
      items.value = await load();
      return true;
    } catch (error) {
      wrong.value = error instanceof Problem ? problem(error.code, error.message) : String(error);
      return false;
    }
  };
  useEffect(() => void attempt(async () => null), []);
  return { items, wrong, attempt };
}
