// The files of a session's workspace: into it, list of it, out of it.

import { call, sessionPath } from '../api.js';
import { ago, bytes } from '../words.js';
import { panel } from './dialog.js';
import { button, fill, h } from './dom.js';
import { fileLink } from './message.js';

/** Resolves to the paths the files now have in the workspace. */
export async function upload(session, files) {
  const paths = [];
  for (const file of files) {
    const body = new FormData();
    body.append('file', file, file.name || 'pasted');
    const { files: stored } = await call('POST', sessionPath(session, '/files'), { body });
    paths.push(...stored.map(({ path }) => path));
  }
  return paths;
}

export async function showFiles(session, tell) {
  const list = h('ul', { class: 'files' }, h('li', {}, 'Loading…'));
  const picker = h('input', { type: 'file', multiple: true, hidden: true });
  panel(
    'Files in the workspace',
    list,
    h(
      'div',
      { class: 'row end' },
      button('Upload', () => picker.click(), { class: 'primary' }),
      picker,
    ),
  );
  const guarded = (work) => work().catch(({ code, message }) => tell(code, message));
  const refresh = async () => {
    const { files } = await call('GET', sessionPath(session, '/files'));
    fill(
      list,
      files.length ? files.map((file) => row(session, file)) : h('li', {}, 'Nothing here yet.'),
    );
  };
  picker.addEventListener('change', () =>
    guarded(async () => {
      await upload(session, [...picker.files]);
      await refresh();
    }),
  );
  await guarded(refresh);
}

const row = (session, { path, size, modified }) =>
  h(
    'li',
    { class: 'row between' },
    fileLink(session, path),
    h('span', { class: 'under' }, `${bytes(size)} · ${ago(modified)}`),
  );
