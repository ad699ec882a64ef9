// Images of the workspace that an answer or a call refers to: looked for when they come into sight.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { sizes } from '../session/workspace_list.ts';
import { Picture } from './picture.tsx';

export function Images({ session, paths }: { session: string; paths: readonly string[] }): JSX.Element | null {
  const there = useSignal<ReadonlyMap<string, number>>(new Map());
  const root = useRef<HTMLDivElement>(null);
  const names = paths.join('\n');
  useEffect(() => {
    if (!names || !root.current) return undefined;
    const observer = new IntersectionObserver(([seen]) => {
      if (!seen?.isIntersecting) return;
      observer.disconnect();
      void sizes(session, paths).then((all) => {
        there.value = all;
      });
    });
    observer.observe(root.current);
    return () => observer.disconnect();
  }, [session, names]);
  if (paths.length === 0) return null;
  const shown = paths.filter((path) => there.value.has(path));
  return (
    <div ref={root} class={shown.length ? 'images' : ''}>
      {shown.map((path) => (
        <Picture key={path} session={session} path={path} size={there.value.get(path) ?? 0} />
      ))}
    </div>
  );
}
