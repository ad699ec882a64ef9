// The files of a session's workspace: to look at, to take out, and to add to.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Problem, type FileEntry } from '../link/api.ts';
import { fileHref, filesOf } from '../session/files.ts';
import { Name } from '../text/name.tsx';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import { Attach } from './attached.tsx';
import type { Desk } from './desk.ts';
import { Icon } from './icons.tsx';
import { Dialog } from './dialog.tsx';
import type { Shell } from './shell.ts';
import { serverNow } from './surroundings.ts';

const { ago, bytes, moment } = words.amounts;

export function FilesDialog({ shell, desk, close }: { shell: Shell; desk: Desk; close: () => void }): JSX.Element {
  const going = desk.uploads.going.value;
  const { files, wrong } = useFiles(shell, desk.open.id, going);
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
        {files.value?.map((file) => (
          <OneFile key={file.path} session={desk.open.id} file={file} />
        ))}
      </ul>
      <div class="row end">
        <span class="under grow">{going ? words.composer.stillUploading : ''}</span>
        {desk.drives.value && (
          <Attach
            attach={(chosen) => {
              close();
              desk.uploads.take(chosen);
            }}
            disabled={false}
          />
        )}
      </div>
    </Dialog>
  );
}

function OneFile({ session, file }: { session: string; file: FileEntry }): JSX.Element {
  const { path, size, modified } = file;
  return (
    <li>
      <a href={fileHref(session, path)} download aria-label={words.tool.download(path)}>
        <Name text={path} />
      </a>
      <span class="under">{bytes(size)}</span>
      <time class="under" dateTime={modified} title={moment(modified)}>
        {ago(modified, serverNow.value)}
      </time>
      <Icon name="download" />
    </li>
  );
}

/** Asked for anew when an upload has ended. */
function useFiles({ ways }: Shell, session: string, going: boolean) {
  const files = useSignal<readonly FileEntry[] | null>(null);
  const wrong = useSignal('');
  useEffect(() => {
    filesOf(ways.call, session).then(
      (found) => {
        files.value = found;
        wrong.value = '';
      },
      (error: unknown) => {
        wrong.value = error instanceof Problem ? problem(error.code, error.message) : String(error);
      },
    );
  }, [going]);
  return { files, wrong };
}
