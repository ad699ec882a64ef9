// What a person fills in of a form that a server of tools asks.

import { Filling, Fillings } from '../../static/src/views/filling.ts';
import { inquiring, needsPerson } from '../../static/src/store/entries.ts';
import { apply, applyAll } from '../../static/src/store/reduce.ts';
import { empty } from '../../static/src/store/state.ts';
import type { Field, QuestionAsked, Session } from '../../static/src/wire.ts';
import { goldenFrames } from './frames.ts';

const EMAIL: Field = { name: 'email', kind: 'string', required: true, title: 'Your e-mail' };
const FIELDS: readonly Field[] = [
  EMAIL,
  { name: 'copies', kind: 'integer', default: 1 },
  { name: 'gift', kind: 'boolean', default: true },
  { name: 'size', kind: 'choice', choices: [{ value: 's' }, { value: 'l' }] },
  { name: 'extras', kind: 'choices', choices: [{ value: 'bow' }], default: ['bow'] },
  { name: 'cards', kind: 'choices', choices: [{ value: 'small' }] },
];

describe('a form', () => {
  it('begins with its defaults, and leaves out what is left blank', () => {
    const filling = new Filling({ fields: FIELDS });
    filling.write('email', 'ada@example.org');
    expect(filling.content()).toEqual({ email: 'ada@example.org', copies: 1, gift: true, extras: ['bow'] });
    filling.write('extras', []);
    filling.write('copies', '');
    filling.write('size', 'l');
    expect(filling.content()).toEqual({ email: 'ada@example.org', gift: true, size: 'l' });
  });

  it('says what is missing or is no number, until that is mended', () => {
    const filling = new Filling({ fields: FIELDS });
    expect(filling.content()).toBeNull();
    expect(filling.problem.value).toBe('Your e-mail is required.');
    filling.write('email', 'a');
    expect(filling.problem.value).toBe('');
    filling.write('copies', 'two');
    expect(filling.content()).toBeNull();
    expect(filling.problem.value).toBe('copies must be a number.');
  });

  it('without fields is a yes', () => {
    expect(new Filling({}).content()).toEqual({});
  });

  it('is kept for its question', () => {
    const fillings = new Fillings();
    const asked = { question: 'q1', fields: [EMAIL] } as unknown as QuestionAsked;
    fillings.of(asked).write('email', 'kept');
    expect(fillings.of({ ...asked }).values.value).toEqual({ email: 'kept' });
  });
});

describe('questions of servers of tools', () => {
  it('are open from when they are asked until they are answered or their call is over', () => {
    const counts: number[] = [];
    goldenFrames('question').reduce((state, frame) => {
      const next = apply(state, frame);
      const open = inquiring(next.entries).length;
      if (open !== counts.at(-1)) counts.push(open);
      return next;
    }, empty);
    expect(counts).toEqual([0, 1, 0, 1, 0]);
  });

  it('show who answered what', () => {
    const { entries } = applyAll(empty, goldenFrames('question'));
    const [first, second] = entries.flatMap((entry) => (entry.kind === 'tool' ? (entry.questions ?? []) : []));
    expect(first?.answer).toMatchObject({ action: 'accept', by: 'dev', content: { size: 'l' } });
    expect(second?.answer).toBeUndefined();
  });

  it('make a session one that needs somebody', () => {
    const session = { state: 'running' } as Session;
    expect(needsPerson(session)).toBe(false);
    expect(needsPerson({ ...session, pending_questions: 1 })).toBe(true);
  });
});
