// One session on screen: conversation, questions, queue, composer, and what stands beside them.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { AskSheet } from './ask_bar.tsx';
import { Connection, Pending } from './connection.tsx';
import { Conversation } from './conversation.tsx';
import type { Desk } from './desk.ts';
import { dropping, useDrops } from './drops.ts';
import { Examples } from './examples.tsx';
import { Header } from './header.tsx';
import { StatusLine, UsagePanel } from './meters.tsx';
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
  const told = useRef<string | null>(null);
  const synced = desk.synced.value;
  const phase = desk.phase.value;
  useEffect(() => {
    if (!synced) return;
    const before = told.current;
    told.current = phase;
    if (before === null || before === phase) return;
    if (phase === 'awaiting_approval') announce(words.announce.approval(desk.asked.value[0]?.tool ?? ''));
    if (phase === 'idle') announce(desk.failed.value ? words.announce.failed : words.announce.complete);
  }, [phase, synced]);
  const asked = desk.inquired.value.at(-1);
  useEffect(() => {
    if (synced && asked) announce(words.announce.question(asked.server));
  }, [asked?.question, synced]);
}
