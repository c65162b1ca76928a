import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { quoteNulls } from './quote-nulls.js';

const CSV = 'id,name\n1,NULL\n2,"x,NULL,\nNULL\n"\n3,"a""NULL"\n4,NULLS\nNULL,NULL\n5,xNULL\nNULL';
const QUOTED =
  'id,name\n1,"NULL"\n2,"x,NULL,\nNULL\n"\n3,"a""NULL"\n4,NULLS\n"NULL","NULL"\n5,xNULL\n"NULL"';

describe('the text NULL in CSV', () => {
  it('gets quotes, wherever the text is split into chunks', async () => {
    for (let at = 0; at <= CSV.length; at += 1) {
      const chunks = [CSV.slice(0, at), CSV.slice(at, at + 3), CSV.slice(at + 3)];
      const parts = await Readable.from(
        quoteNulls(Readable.from(chunks.map((text) => Buffer.from(text)))),
      ).toArray();
      expect(Buffer.concat(parts).toString()).toBe(QUOTED);
    }
  });
});
