// Wires everything: nothing else knows all rooms.

import './views/tokens.css';
import './views/controls.css';
import './views/layout.css';
import './views/conversation.css';
import './views/tool.css';
import './text/text.css';

import { computed, effect, signal } from '@preact/signals';
import { render } from 'preact';
import { isTheirs, placeBefore } from './session/account.ts';
import { Drafts } from './session/drafts.ts';
import { Leftovers } from './session/leftovers.ts';
import { Myself } from './session/me.ts';
import { Sessions } from './session/sessions.ts';
import { waysOf } from './session/ways.ts';
import { watch } from './views/notify.ts';
import { Root } from './views/root.tsx';
import { route } from './views/route.ts';
import { Desks, type Shell } from './views/shell.ts';
import { heardTime } from './views/surroundings.ts';
import { tell } from './views/voice.tsx';

const ways = waysOf(tell);
const myself = new Myself(ways);
const me = computed(() => myself.me.value?.user.id ?? '');
const sessions = new Sessions(ways);
const drafts = new Drafts(ways);
const desks = new Desks(ways, drafts, me);
const shell: Shell = { ways, myself, me, sessions, drafts, desks, overlay: signal('none') };

// What it has heard already is in the first picture.
const here = route.peek();
if (here.view === 'session') desks.at(here.id);
render(<Root shell={shell} />, document.body);
const heard = computed(() => sessions.loaded.value && sessions.totals.value !== null);
watch(sessions.mine, heard);
void myself.load().then(async (known) => {
  if (!known) return;
  if (!(await isTheirs(ways, me.value))) return location.reload();
  if (!location.hash) location.hash = placeBefore() ?? '';
  sessions.open();
});
const leftovers = new Leftovers(ways, (id) => desks.current.peek()?.open.id === id);
effect(() => {
  void desks.current.value; // what was left unanswered on the desk that is put away
  if (sessions.link.value.phase === 'settled' && ways.kept.durable.value) void leftovers.send();
});
// Nothing that is drawn first depends on it, nor on its coming: seconds then tick by this machine's clock.
ways.world.frame(() => {
  fetch('/healthz', { method: 'HEAD' }).then(
    (answer) => heardTime(answer.headers.get('date')),
    () => {},
  );
});
