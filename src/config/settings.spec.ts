import { describe, expect, it } from '@jest/globals';
import { parseSettings } from './settings.js';

describe('settings', () => {
  it('have the documented defaults', () => {
    expect(parseSettings({})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      logLevel: 'info',
      database: undefined,
      poolSize: 10,
      recycleSeconds: 55,
      deadlineMs: 15_000,
      schema: 'sync',
    });
  });

  it.each([
    ['PORT', '65536', 'PORT: write a whole number from 0 to 65535.'],
    ['PORT', '3e3', 'PORT: write a whole number from 0 to 65535.'],
    [
      'LOG_LEVEL',
      'loud',
      'LOG_LEVEL: write one of trace, debug, info, warn, error, fatal, silent.',
    ],
    ['DB_SCHEMA', 'drop', 'DB_SCHEMA: write one of sync, migrate, check, off.'],
    ['DB_RECYCLE_SECONDS', '0', 'DB_RECYCLE_SECONDS: write a whole number from 1 to 86400.'],
    ['DATA_DIR', ' ', 'DATA_DIR: write the path of a folder, such as .data.'],
    ['ACCESS', 'opne', 'ACCESS: write one of open, keys, closed.'],
  ])('%s=%s stops the start with advice', (name, value, message) => {
    expect(() => parseSettings({ [name]: value })).toThrow(message);
  });

  it('never repeat the password of an invalid address', () => {
    const settings = { DATABASE_URL: 'mysql://me:secret@host/db' };
    expect(() => parseSettings(settings)).toThrow(/^DATABASE_URL: write postgresql:(?!.*secret)/);
  });

  it.each(['0.0.0.0', '::', '192.168.1.2', 'registry.example'])(
    'require keys with HOST=%s, unless ACCESS is set',
    (HOST) => {
      expect(parseSettings({ HOST }).access).toBe('keys');
      expect(parseSettings({ HOST, ACCESS: 'open' }).access).toBe('open');
    },
  );

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('accept HOST=%s as loopback', (HOST) => {
    expect(parseSettings({ HOST })).toMatchObject({ host: HOST, access: 'open' });
  });
});
