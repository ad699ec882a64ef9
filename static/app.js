// The page: which view the address names, and what all views share.

import { call, sessionPath } from './api.js';
import { Fleet } from './fleet.js';
import { phase } from './state.js';
import { DashboardPage } from './views/dashboard.js';
import { askText, confirm } from './views/dialog.js';
import { h } from './views/dom.js';
import { SessionPage } from './views/page.js';
import { Sidebar } from './views/sidebar.js';
import { Toasts } from './views/toasts.js';
import { WelcomePage } from './views/welcome.js';

const toasts = new Toasts();
const announcer = h('div', { class: 'unseen', 'aria-live': 'polite' });
const stage = h('div', { class: 'stage' });
const fleet = new Fleet({ changed: draw, tell });
const sidebar = new Sidebar({
  search: (text) => fleet.search(text),
  more: () => fleet.loadMore(),
  rename,
  remove,
});
const app = {
  tell,
  rename,
  remove,
  changed: drawTitle,
  announce: (text) => {
    announcer.textContent = text;
  },
  models: () => offered.models,
  defaultModel: () => offered.default,
};

let offered = { models: [], default: null };
let page = null;
let current = null;

function tell(code, message) {
  toasts.tell(code, message);
}

async function attempt(work) {
  try {
    return await work();
  } catch ({ code, message }) {
    tell(code, message);
    return null;
  }
}

async function rename(session) {
  if (!session) return;
  const title = await askText({ title: 'Rename session', value: session.title, yes: 'Rename' });
  if (title === null) return;
  const renamed = await attempt(() => call('PATCH', sessionPath(session.id), { body: { title } }));
  if (renamed) fleet.put(renamed);
}

async function remove(session) {
  if (!session) return;
  const sure = await confirm({
    title: `Delete “${session.title || 'New session'}”?`,
    text: 'The conversation and the files in its workspace are erased for good.',
    yes: 'Delete',
  });
  if (!sure) return;
  await attempt(async () => {
    await call('DELETE', sessionPath(session.id));
    if (current === session.id) location.hash = '#/';
    fleet.drop(session.id);
  });
}

/** #/ list and welcome · #/new · #/s/ID · #/dashboard */
function route() {
  const [, view = '', id = ''] = location.hash.split('/');
  page?.close();
  current = view === 's' ? decodeURIComponent(id) : null;
  if (view === 's') page = new SessionPage(current, app);
  else if (view === 'dashboard') page = new DashboardPage(fleet);
  else page = new WelcomePage(app);
  stage.replaceChildren(page.node);
  page.open();
  draw();
}

function draw() {
  document.body.dataset.view = narrowView();
  sidebar.draw(fleet, current);
  page?.draw();
  drawTitle();
}

/** What a narrow screen shows: a newcomer's empty list is the welcome. */
function narrowView() {
  const view = location.hash.split('/')[1];
  if (view) return view;
  return fleet.loaded && !fleet.sessions.length && !fleet.query ? 'new' : 'list';
}

/** The tab says when someone is needed. */
function drawTitle() {
  const state = page?.session?.state;
  const needed = state && phase(state) === 'awaiting_approval' ? '● ' : '';
  document.title = `${needed}${state?.session?.title || 'Mooring'}`;
}

function key(event) {
  if (event.key !== 'Escape' || event.isComposing || document.querySelector('dialog[open]')) return;
  if (page?.escape()) event.preventDefault();
}

document.body.append(sidebar.node, stage, toasts.node, announcer);
addEventListener('hashchange', route);
addEventListener('keydown', key);
route();
setInterval(draw, 60_000); // times are told in minutes
fleet.start(await attempt(() => call('GET', '/me')));
offered = (await attempt(() => call('GET', '/models'))) ?? offered;
draw();
