// Where links may lead, what is said about it, and what cannot hide.

import { spelledName, spelledOut } from '../../static/src/text/hidden.ts';
import { address, unsaidPlace } from '../../static/src/text/links.ts';

describe('a link', () => {
  it.each([
    'javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'java\tscript:alert(1)',
    '\u0001javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'blob:https://a/b', '/relative',
    '//host/path', '#anchor', 'ftp://a', 'ws://a', 'about:blank', 'http://', '', `https://a/${'x'.repeat(3_000)}`,
  ])('does not lead to %j', (href) => expect(address(href)).toBeNull()); // prettier-ignore

  it.each(['http://a.example/b', 'HTTPS://a.example', 'mailto:a@b.example'])('may lead to %s', (href) =>
    expect(address(href)).not.toBeNull());

  it.each([
    ['https://a.example/b', 'https://a.example/b', null],
    ['https://a.example/b', 'a.example', null],
    ['https://a.example/b', 'a.example/b', null],
    ['https://a.example/b', 'the docs', 'a.example'],
    ['https://evil.example/', 'https://bank.example/', 'evil.example'],
    ['https://bank.example@evil.example/', 'bank.example', 'evil.example'],
    ['https://evil.example/', 'https://bank.example@evil.example', null],
    ['https://xn--80ak6aa92e.example/', 'аррlе.example', 'xn--80ak6aa92e.example'],
    ['https://xn--80ak6aa92e.example/', 'https://xn--80ak6aa92e.example/', 'xn--80ak6aa92e.example'],
    ['https://a.example/', 'a.exa\u200bmple', 'a.example'],
    ['mailto:a@b.example', 'a@b.example', null],
    ['mailto:a@b.example', 'write to us', 'a@b.example'],
  ])('%s as %j says %s', (href, words, place) => expect(unsaidPlace(address(href)!, words)).toBe(place));
});

describe('a character that hides', () => {
  it('is spelled out where it turns text around', () =>
    expect(spelledOut('a\u202etxt\u2066')).toBe('a⟨U+202E⟩txt⟨U+2066⟩'));
  it('is left alone in words that need it', () => expect(spelledOut('👩\u200d💻')).toBe('👩\u200d💻'));
  it('is spelled out in every name', () =>
    expect(spelledName('cod\u202Eexe.gpj\n\u200b')).toBe('cod⟨U+202E⟩exe.gpj⟨U+000A⟩⟨U+200B⟩'));
});
