import { describe, expect, it } from 'vitest';
import { unwrap, formErrors, NO_RESPONSE, ProblemError } from './problem';

const refused = (errors: { pointer: string; detail: string }[]) =>
  new ProblemError({ type: 'x/problems/invalid', title: 'Invalid', status: 422, errors });

describe('the errors of a form', () => {
  it('stand at the fields that their pointers name', () => {
    const error = refused([
      { pointer: '/name', detail: 'must have 1 to 100 characters' },
      { pointer: '#/scopes/0', detail: 'is no scope' },
    ]);
    expect(formErrors(error, ['name', 'scopes'])).toEqual({
      fields: { name: 'must have 1 to 100 characters', scopes: 'is no scope' },
      form: undefined,
    });
  });

  it('are joined where a field has two', () => {
    const error = refused([
      { pointer: '/name', detail: 'One.' },
      { pointer: '/name', detail: 'Two.' },
    ]);
    expect(formErrors(error, ['name']).fields.name).toBe('One. Two.');
  });

  it('stand above the form when no field is to blame', () => {
    const error = refused([{ pointer: '/elsewhere', detail: 'is wrong' }]);
    expect(formErrors(error, ['name'])).toEqual({ fields: {}, form: 'is wrong' });
  });

  it('say what to do when there is no list of them', () => {
    const error = new ProblemError({ type: 'about:blank', title: 'Unavailable', status: 503 });
    const form = 'Daybook is not ready just now. Try again in a moment.';
    expect(formErrors(error, ['name'])).toEqual({ fields: {}, form });
  });
});

describe('an answer', () => {
  it('in words other than ours is told by its status', async () => {
    const response = new Response('<h1>no</h1>', { status: 502, statusText: 'Bad Gateway' });
    const call = unwrap(Promise.resolve({ error: '<h1>no</h1>', response }));
    await expect(call).rejects.toMatchObject({ problem: { title: 'Bad Gateway', status: 502 } });
  });

  it('that never came says so', async () => {
    const call = unwrap(Promise.reject(new TypeError('Failed to fetch')));
    await expect(call).rejects.toMatchObject({ problem: { status: NO_RESPONSE } });
  });
});
