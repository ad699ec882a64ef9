// The conversation: its last rows first, older ones as the reader goes up, the end only while they are there.

import { useComputed } from '@preact/signals';
import type { ComponentChildren, JSX, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { wordsOf } from '../link/outbox.ts';
import { words } from '../words/en.ts';
import type { Desk } from './desk.ts';
import { AskBar } from './ask_bar.tsx';
import { QuestionBar } from './question_bar.tsx';
import { FoldedTurns, RowView } from './row_view.tsx';
import { Icon } from './icons.tsx';
import { Outgoing } from './messages.tsx';
import { AfterTurn } from './after_turn.tsx';
import { Mounted } from './mounted.ts';
import type { Row } from './rows.ts';
import { narrow } from './surroundings.ts';

export function Conversation({ desk, empty }: { desk: Desk; empty: ComponentChildren }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const mounted = useMounted(desk, scroller, content);
  const { shown, from } = mounted.take();
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
          {(from > 0 || desk.cut.value) && <Older mounted={mounted} />}
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
      <Pill rows={mounted.rows.value} atEnd={mounted.atEnd.value} toEnd={() => desk.toEnd()} />
      {!narrow.value && <AskBar desk={desk} />}
      {!narrow.value && <QuestionBar desk={desk} />}
    </div>
  );
}

type Place = RefObject<HTMLDivElement | null>;

function useMounted(desk: Desk, scroller: Place, content: Place): Mounted {
  const mounted = useMemo(() => new Mounted(desk), [desk]);
  // Before the first picture, which may have rows already: it shows their end.
  useLayoutEffect(() => {
    if (!scroller.current || !content.current) return undefined;
    return mounted.begin(scroller.current, content.current);
  }, [mounted]);
  const oldest = useComputed(() => desk.open.state.value.oldest);
  useEffect(() => mounted.fill(oldest.value), [mounted.scant.value, mounted.loading.value, oldest.value]);
  useLayoutEffect(() => mounted.drawn());
  return mounted;
}

function Older({ mounted }: { mounted: Mounted }): JSX.Element {
  const loading = mounted.loading.value;
  return (
    <div class="edge">
      <button type="button" class="button small soft" disabled={loading} onClick={() => void mounted.older()}>
        {loading ? words.conversation.loadingOlder : words.conversation.older}
      </button>
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
