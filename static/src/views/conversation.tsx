// The conversation: its last rows first, older ones as the reader goes up, the end only while they are there.

import { useComputed, useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { AskBar } from './ask_bar.tsx';
import { QuestionBar } from './question_bar.tsx';
import { FoldedTurns, RowView } from './row_view.tsx';
import { Icon } from './icons.tsx';
import { Outgoing, wordsOf } from './messages.tsx';
import { AfterTurn } from './after_turn.tsx';
import { Reading } from './reading.ts';
import { FIRST, MORE, type Row, rowsOf, windowStart } from './rows.ts';
import { narrow } from './surroundings.ts';
import { tell } from './voice.tsx';

/** Rows that are mounted before one that is shown on demand. */
const BEFORE = 10;

export function Conversation({ desk, empty }: { desk: Desk; empty: ComponentChildren }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const anchor = useSignal<string | null>(null);
  const loading = useSignal(false);
  const wanted = useRef<string | null>(null);
  const reading = useSignal<Reading | null>(null);
  const rows = useComputed(() => rowsOf(desk.open.entries.value));
  const atEnd = useComputed(() => reading.value?.atEnd.value ?? true);
  const from = windowStart(rows.value, anchor.value, atEnd.value);
  const shown = rows.value.slice(from);
  anchor.value = shown[0]?.key ?? null;

  const older = async (): Promise<void> => {
    if (loading.peek() || !reading.peek()) return;
    const start = windowStart(rows.peek(), anchor.peek(), false);
    if (start === 0 && !desk.cut.peek()) return;
    loading.value = true;
    try {
      await reading.peek()?.holding(async () => {
        if (start === 0) await desk.open.loadEarlier();
        const all = rows.peek();
        const now = all.findIndex((row) => row.key === anchor.peek());
        anchor.value = all[Math.max(0, now - MORE)]?.key ?? null;
      });
    } catch (error) {
      tell('not_connected', error instanceof Error ? error.message : words.conversation.olderFailed);
    } finally {
      loading.value = false;
    }
  };

  useEffect(() => {
    if (!scroller.current || !content.current) return undefined;
    const made = new Reading(scroller.current, content.current, () => void older());
    made.begin();
    reading.value = made;
    desk.toEnd = () => made.toEnd();
    desk.reveal = (key) => {
      const at = rows.peek().findIndex((row) => row.key === key);
      if (at >= 0 && at < windowStart(rows.peek(), anchor.peek(), made.atEnd.peek())) {
        made.leave();
        anchor.value = rows.peek()[Math.max(0, at - BEFORE)]?.key ?? null;
        wanted.current = key;
      } else reveal(content.current, key);
    };
    return () => made.end();
  }, [desk]);
  // What fits on one screen cannot be scrolled, and would never ask for what is before it.
  const scant = rows.value.length < FIRST && desk.cut.value && desk.synced.value && reading.value !== null;
  const oldest = useComputed(() => desk.open.state.value.oldest);
  const tried = useRef(0);
  useEffect(() => {
    if (!scant || loading.value || tried.current === oldest.value) return;
    tried.current = oldest.value;
    void older();
  }, [scant, loading.value, oldest.value]);
  useLayoutEffect(() => {
    reading.peek()?.keep();
    if (wanted.current !== null && reveal(content.current, wanted.current)) wanted.current = null;
  });

  const more = from > 0 || desk.cut.value;
  return (
    <div class="conversation">
      <div
        class="scroller"
        ref={scroller}
        tabIndex={0}
        role="region"
        aria-label={words.conversation.label}
        onKeyDown={(event) => step(event, content.current)}
      >
        <div class="column" ref={content}>
          {more && (
            <div class="edge">
              <button type="button" class="button small soft" disabled={loading.value} onClick={() => void older()}>
                {loading.value ? words.conversation.loadingOlder : words.conversation.older}
              </button>
            </div>
          )}
          <Blank desk={desk} empty={empty} />
          <div class="entries">
            {shown.map((row) =>
              row.kind === 'folded' ? (
                <FoldedTurns key={row.key} desk={desk} row={row} />
              ) : (
                <RowView key={row.key} desk={desk} entry={row} />
              ),
            )}
          </div>
          <Sending desk={desk} />
          <AfterTurn desk={desk} />
        </div>
      </div>
      <Pill rows={rows.value} atEnd={atEnd.value} toEnd={() => desk.toEnd()} />
      {!narrow.value && <AskBar desk={desk} />}
      {!narrow.value && <QuestionBar desk={desk} />}
    </div>
  );
}

/** A session in which nothing was said yet. */
function Blank({ desk, empty }: { desk: Desk; empty: ComponentChildren }): JSX.Element | null {
  const blank = useComputed(() => {
    return desk.synced.value && !desk.cut.value && !desk.open.entries.value.length && !desk.open.outbox.value.length;
  });
  return blank.value ? <>{empty}</> : null;
}

function Sending({ desk }: { desk: Desk }): JSX.Element {
  const inputs = useComputed(() =>
    desk.open.outbox.value.filter((item) => wordsOf(item) !== undefined),
  );
  return (
    <div class="entries sending">
      {inputs.value.map((item) => (
        <Outgoing key={item.frame.id} desk={desk} item={item} />
      ))}
    </div>
  );
}

function Pill(props: { rows: readonly Row[]; atEnd: boolean; toEnd: () => void }): JSX.Element | null {
  const seen = useRef(props.rows.at(-1)?.key);
  useMemo(() => {
    if (props.atEnd) seen.current = props.rows.at(-1)?.key;
  }, [props.atEnd, props.rows]);
  if (props.atEnd) return null;
  // Counted from the end: older pages come to stand before all that was seen.
  const fresh = props.rows.length - 1 - props.rows.findLastIndex((row) => row.key === seen.current);
  return (
    <button type="button" class="button small pill" onClick={props.toEnd}>
      <Icon name="down" />
      {fresh > 0 ? words.conversation.fresh(fresh) : words.conversation.toEnd}
    </button>
  );
}

/** Whether it is mounted. What comes into sight gets its true size: then it is looked for again. */
function reveal(content: HTMLElement | null, key: string, again = 2): boolean {
  const node = content?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
  node?.scrollIntoView({ block: 'center' });
  node?.focus({ preventScroll: true });
  if (again > 0) requestAnimationFrame(() => reveal(content, key, again - 1));
  return node !== null;
}

/** J and K go through the messages, for who reads with the keyboard. */
function step(event: KeyboardEvent, content: HTMLElement | null): void {
  if ((event.target as Element).closest('input, textarea, select') || event.ctrlKey || event.metaKey) return;
  if (event.key !== 'j' && event.key !== 'k') return;
  const entries = [...(content?.querySelectorAll<HTMLElement>('.entry[data-key]') ?? [])];
  const at = entries.findIndex((node) => node.contains(document.activeElement));
  const next = event.key === 'j' ? at + 1 : at < 0 ? entries.length - 1 : at - 1;
  entries[next]?.focus();
  event.preventDefault();
}
