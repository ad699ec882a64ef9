// One session on screen: conversation, questions, queue, composer, and what stands beside them.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { TurnEnded } from '../wire.ts';
import { words } from '../words/en.ts';
import { AskSheet } from './ask_bar.tsx';
import { Connection, Pending } from './connection.tsx';
import { Conversation } from './conversation.tsx';
import type { Desk } from './desk.ts';
import { dropping, useDrops } from './drops.ts';
import { Examples } from './examples.tsx';
import { Header } from './header.tsx';
import { StatusLine, UsagePanel } from './meters.tsx';
import { endWords } from './note_words.ts';
import { PlanChip, PlanPanel } from './plan.tsx';
import { QuestionSheet } from './question_bar.tsx';
import { Queue } from './queue.tsx';
import { SessionComposer } from './session_composer.tsx';
import type { Shell } from './shell.ts';
import { narrow, wide } from './surroundings.ts';
import { announce } from './voice.tsx';

export function SessionPage({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  const detailed = wide.value && desk.detailed.value;
  useBoundaries(desk);
  useDrops(desk.usable.value ? (files) => desk.uploads.take(files) : null);
  return (
    <>
      <main class={dropping.value ? 'page dropping' : 'page'} data-drop={words.composer.drop}>
        <Header shell={shell} desk={desk} />
        <Conversation desk={desk} empty={<Beginning shell={shell} desk={desk} />} />
        <div class="dock">
          <Connection shell={shell} desk={desk} />
          <Pending desk={desk} />
          <Forgetful shell={shell} desk={desk} />
          {!detailed && <PlanChip desk={desk} />}
          {narrow.value && desk.drives.value && <AskSheet desk={desk} />}
          {narrow.value && desk.drives.value && <QuestionSheet desk={desk} />}
          <Queue desk={desk} />
          <SessionComposer shell={shell} desk={desk} />
          <StatusLine desk={desk} />
        </div>
      </main>
      {detailed && (
        <aside class="details" aria-label={words.header.details}>
          <PlanPanel desk={desk} />
          <UsagePanel desk={desk} />
        </aside>
      )}
    </>
  );
}

function Beginning({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element {
  const model = desk.session.value?.model ?? '';
  return <Examples shell={shell} model={model} say={(text) => desk.open.say(text)} />;
}

/** Storage is forbidden or full: said while there is something to lose. */
function Forgetful({ shell, desk }: { shell: Shell; desk: Desk }): JSX.Element | null {
  const unsent = useComputed(() => desk.draft.value.trim() !== '' || desk.open.outbox.value.length > 0);
  if (shell.ways.kept.durable.value || !unsent.value) return null;
  return <p class="bar connection short">{words.connection.storage}</p>;
}

/** Boundaries only: a screen reader is never fed a streaming text. */
function useBoundaries(desk: Desk): void {
  const synced = desk.synced.value;
  const [asks, asked, end] = [desk.asked.value[0], desk.inquired.value.at(-1), desk.lastEnd.value];
  useSaid(synced && asks?.call, () => words.announce.approval(asks?.tool ?? ''));
  useSaid(synced && asked?.question, () => words.announce.question(asked?.server ?? ''));
  const known = useRef<number | null>(null);
  useEffect(() => {
    if (!synced) return;
    // A page that is painted late sees the first sync and what came after it at once.
    const before = known.current ?? desk.open.newsAfter;
    known.current = end?.seq ?? 0;
    // What ended before somebody looked is no news, nor is what they put something else in place of.
    if (before !== null && end && end.seq > before && end.reason !== 'superseded') announce(overWords(end));
  }, [end?.seq, synced]);
}

function overWords(end: TurnEnded): string {
  const { complete, failed } = words.announce;
  return end.status === 'completed' ? complete : end.status === 'failed' ? failed : endWords(end)[0];
}

/** Once for each thing to say, however often the connection comes back meanwhile. */
function useSaid(thing: string | false | undefined, text: () => string): void {
  const said = useRef('');
  useEffect(() => {
    if (!thing || thing === said.current) return;
    said.current = thing;
    announce(text());
  }, [thing]);
}
