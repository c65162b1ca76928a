import { describe, expect, it } from '@jest/globals';
import { parseConnectionString } from './connection-string.js';

describe('a connection string', () => {
  it.each([
    [
      'with a password of special characters',
      'postgresql://me:a%40b%23c%2Fd%3Fe%25f@host:5433/races',
      { user: 'me', password: 'a@b#c/d?e%f', host: 'host', port: 5433, database: 'races' },
    ],
    [
      "as Neon's console gives it",
      'postgresql://alex:AbC123dEf@ep-cool-1-pooler.us-east-2.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
      {
        host: 'ep-cool-1-pooler.us-east-2.aws.neon.tech',
        database: 'neondb',
        ssl: { rejectUnauthorized: false },
        enableChannelBinding: true,
      },
    ],
    [
      "as Neon's, with its endpoint as an option",
      'postgres://alex:x@ep.neon.tech/neondb?options=endpoint%3Dep-cool-1',
      { options: 'endpoint=ep-cool-1' },
    ],
    [
      "as Supabase's pooler has it",
      'postgresql://postgres.abcdefgh:pass@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true',
      { user: 'postgres.abcdefgh', port: 6543, database: 'postgres' },
    ],
    [
      "as bit.io's, whose databases have a slash in their names",
      'postgresql://adam:v2_3uJ5@db.bit.io/adam/races',
      { host: 'db.bit.io', database: 'adam/races' },
    ],
    [
      'with that slash encoded',
      'postgresql://adam:v2_3uJ5@db.bit.io:5432/adam%2Fraces?sslmode=prefer',
      { database: 'adam/races', sslFallback: false },
    ],
    [
      'of a unix socket',
      'postgresql://postgres@/races?host=%2Fvar%2Frun%2Fpostgresql&sslmode=require',
      { host: '/var/run/postgresql', database: 'races', ssl: false },
    ],
    [
      'of several servers',
      'postgresql://me:a%2Cb@one:5433,two,[::1]:5434/races?sslmode=disable',
      {
        user: 'me',
        password: 'a,b',
        database: 'races',
        ssl: false,
        targetServer: 'primary',
        servers: [
          { host: 'one', port: 5433 },
          { host: 'two', port: 5432 },
          { host: '::1', port: 5434 },
        ],
      },
    ],
    [
      'of several servers as parameters',
      'postgresql:///races?host=one,%2Ftmp&port=5433&user=me&target_session_attrs=any',
      {
        user: 'me',
        database: 'races',
        targetServer: 'any',
        servers: [
          { host: 'one', port: 5433 },
          { host: '/tmp', port: 5433 },
        ],
      },
    ],
    ['of a unix socket in the place of a host', 'postgresql://u@%2Ftmp/races', { host: '/tmp' }],
  ])('%s', (_, text, settings) => {
    expect(parseConnectionString(text)).toMatchObject(settings);
  });

  it('uses PGSSLMODE by default', () => {
    const variables = { PGSSLMODE: 'disable' };
    expect(parseConnectionString('postgresql://host', variables).ssl).toBe(false);
    expect(parseConnectionString('postgresql://host?sslmode=no-verify', variables).ssl).toEqual({
      rejectUnauthorized: false,
    });
  });

  it.each([
    ['mysql://me:secret@host/db', 'write postgresql://user:password@host/database'],
    ['postgresql://me:sec#ret@host/db', '%23 for #'],
    ['postgresql://me:secret@one:1,two:port/db', 'write hosts as in one.example:5432'],
    [
      'postgresql://me:secret@one,two/db?target_session_attrs=standby',
      'target_session_attrs has to be read-write',
    ],
    ['postgresql://me:secret@host/db?sslmode=requir', 'sslmode has to be one of disable, allow'],
    ['postgresql://me:secret@host/db?sslmode=verify-ca', 'add sslrootcert=FILE'],
    ['postgresql://me:secret@host/db?sslrootcert=/nowhere.crt', 'cannot read /nowhere.crt'],
  ])('is rejected without repeating its password: %s', (text, message) => {
    expect(() => parseConnectionString(text)).toThrow(message);
    expect(() => parseConnectionString(text)).not.toThrow(/secret|sec#ret/);
  });
});
