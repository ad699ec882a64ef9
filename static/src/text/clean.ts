// The only door from HTML to the page: what the model wrote comes out as harmless nodes.

import DOMPurify from 'dompurify';
import type { Config } from 'dompurify';
import type { TrustedTypePolicy, TrustedTypesWindow } from 'trusted-types/lib';
import { TAGS } from './dialect.ts';

const LANGUAGE = /^language-[\w+#.-]{1,40}$/;

// No other room can make HTML: the policy stays in here, and scripts have none at all.
const { trustedTypes } = globalThis as unknown as TrustedTypesWindow;
const policy = trustedTypes?.createPolicy('mooring', {
  createHTML: (html) => html,
  createScriptURL: () => {
    throw new TypeError('Scripts are not loaded from text.');
  },
});

const rules: Config & { RETURN_TRUSTED_TYPE: true } = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ['href', 'src', 'alt', 'title', 'align', 'start', 'class'],
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  ALLOW_SELF_CLOSE_IN_ATTR: false,
  RETURN_TRUSTED_TYPE: true,
  ...(policy && { TRUSTED_TYPES_POLICY: policy as unknown as TrustedTypePolicy }),
};

// Once: what is given with a text is read anew for each.
DOMPurify.setConfig(rules);
DOMPurify.addHook('uponSanitizeAttribute', (_, data) => {
  if (data.attrName === 'class') data.keepAttr = LANGUAGE.test(data.attrValue);
});

/** Nodes of untrusted HTML, in a document of their own that loads and runs nothing. */
export function clean(html: string): DocumentFragment {
  const template = document.createElement('template');
  template.innerHTML = DOMPurify.sanitize(html) as unknown as string;
  return template.content;
}
