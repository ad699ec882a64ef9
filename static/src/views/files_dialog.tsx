// The files of a session's workspace: to look at, to take out, and to add to.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Problem, type FileEntry } from '../link/api.ts';
import { fileHref, filesOf } from '../session/files.ts';
import { Name } from '../text/name.tsx';
import { ago, bytes, moment } from '../words/amounts.ts';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import { Attach } from './composer.tsx';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { Dialog } from './overlays.tsx';
import type { Shell } from './shell.ts';
import { serverNow } from './surroundings.ts';

export function FilesDialog({ shell, desk, close }: { shell: Shell; desk: Desk; close: () => void }): JSX.Element {
  const files = useSignal<readonly FileEntry[] | null>(null);
  const wrong = useSignal('');
  const going = desk.uploads.going.value;
  useEffect(() => {
    filesOf(shell.ways.call, desk.open.id).then(
      (found) => {
        files.value = found;
        wrong.value = '';
      },
      (error: unknown) => {
        wrong.value = error instanceof Problem ? problem(error.code, error.message) : String(error);
      },
    );
  }, [going]);
  return (
    <Dialog heading={words.files.heading} close={close}>
      {wrong.value && (
        <p class="problem" role="alert">
          {wrong}
        </p>
      )}
      {files.value === null && !wrong.value && <p class="under">{words.files.loading}</p>}
      {files.value?.length === 0 && <p class="under">{words.files.empty}</p>}
      <ul class="file-list">
        {files.value?.map(({ path, size, modified }) => (
          <li key={path}>
            <a href={fileHref(desk.open.id, path)} download aria-label={words.tool.download(path)}>
              <Name text={path} />
            </a>
            <span class="under">{bytes(size)}</span>
            <time class="under" dateTime={modified} title={moment(modified)}>
              {ago(modified, serverNow.value)}
            </time>
            <Icon name="download" />
          </li>
        ))}
      </ul>
      <div class="row end">
        <span class="under grow">{going ? words.composer.stillUploading : ''}</span>
        <Attach
          attach={(chosen) => {
            close();
            desk.uploads.take(chosen);
          }}
          disabled={false}
        />
      </div>
    </Dialog>
  );
}
