// What keys do, everywhere on the page.

import { go, route } from './route.ts';
import type { Shell } from './shell.ts';

/** What the page does with a key that nothing inside it took. */
export function pressed(event: KeyboardEvent, shell: Shell): void {
  if (event.defaultPrevented || event.isComposing) return;
  const writing = event.target instanceof Element && event.target.closest('input, textarea, select') !== null;
  const command = event.ctrlKey || event.metaKey;
  const desk = shell.desks.current.peek();
  if (command && !event.shiftKey && event.key.toLowerCase() === 'k') search();
  else if (event.altKey && event.code === 'KeyN') go('#/new');
  else if (event.key === 'Escape' && desk?.stoppable.peek()) desk.open.stop();
  else if (writing || command || event.altKey) return;
  else if (event.key === '?') shell.overlay.value = 'shortcuts';
  else if (event.key === '/') document.querySelector<HTMLElement>('.composer textarea')?.focus();
  else if (event.key === 'End') desk?.toEnd();
  else return;
  event.preventDefault();
}

/** On a phone the list is a view of its own. */
function search(): void {
  const focus = (): void => document.getElementById('search')?.focus();
  if (document.getElementById('search')?.offsetParent) return focus();
  if (route.peek().view !== 'list') go('#/');
  requestAnimationFrame(() => requestAnimationFrame(focus));
}
