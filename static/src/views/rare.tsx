// The views that few look at: each a file of its own for the browser, too.

import type { ComponentChildren, JSX } from 'preact';
import { words } from '../words/en.ts';
import { lazy } from './lazy.tsx';

const over = (told: ComponentChildren): JSX.Element | null => (told ? <div class="unloaded">{told}</div> : null);

export const FilesDialog = lazy(async () => (await import('./files_dialog.tsx')).FilesDialog, over);
export const SettingsDialog = lazy(async () => (await import('./settings_dialog.tsx')).SettingsDialog, over);
export const SharingDialog = lazy(async () => (await import('./sharing_dialog.tsx')).SharingDialog, over);
export const ShortcutSheet = lazy(async () => (await import('./shortcut_sheet.tsx')).ShortcutSheet, over);

export const FleetTable = lazy(
  async () => (await import('./fleet_table.tsx')).FleetTable,
  (told) => (
    <main class="page">
      <h1 class="unseen">{words.fleet.heading}</h1>
      {told}
    </main>
  ),
);
