import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const BOSTON = { name: 'Boston Marathon', city: 'Boston' };

describe('the header Prefer', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp();
    await running.http.post('/marathon/').send(BOSTON).expect(201);
  });
  afterAll(async () => running.close());

  const list = (prefer: string) => running.http.get('/marathon/?limit=1').set('Prefer', prefer);
  const create = (prefer: string) =>
    running.http.post('/marathon/').send(BOSTON).set('Prefer', prefer);

  it.each([
    ['count=exact, handling=strict', 'handling=strict, count=exact'],
    ['handling=lenient, unknown=1', 'handling=lenient'],
    ['handling=lenient, count=many', 'handling=lenient'],
    ['unknown=1, count=planned', 'count=planned'],
  ])('is applied to a list: %s', async (prefer, applied) => {
    const { headers } = await list(prefer);
    expect(headers['preference-applied']).toBe(applied);
  });

  it.each([
    ['return=minimal, handling=strict', 'handling=strict, return=minimal'],
    ['return=headers-only', 'return=headers-only'],
    ['return=representation, missing=default', 'missing=default, return=representation'],
    ['tx=rollback, return=minimal', 'tx=rollback, return=minimal'],
    ['tx=commit', 'tx=commit'],
  ])('is applied to a creation: %s', async (prefer, applied) => {
    const { headers } = await create(prefer).expect(201);
    expect(headers['preference-applied']).toBe(applied);
  });

  it('has a value that is not supported', async () => {
    const { body } = await list('count=many').expect(400);
    expect(body).toMatchObject({
      code: 'invalid_preference',
      detail: 'Prefer: count=many is not supported: there are exact, planned, estimated',
    });
  });

  it('with handling=strict, has a name that is not supported', async () => {
    const { body } = await create('handling=strict, retrun=minimal').expect(400);
    expect(body.detail).toContain('did you mean return?');
    await list('handling=strict, unknown').expect(400);
  });

  it('with return=headers-only, gets the address and no body', async () => {
    const { headers, text } = await create('return=headers-only').expect(201);
    expect(headers.location).toMatch(/^\/marathon\/\d+$/);
    expect(text).toBe('');
    const changed = await running.http
      .patch('/marathon/?id=eq.1')
      .send({ city: 'Hopkinton' })
      .set('Prefer', 'return=headers-only')
      .expect(204);
    expect(changed.headers['preference-applied']).toBe('return=headers-only');
  });
});
