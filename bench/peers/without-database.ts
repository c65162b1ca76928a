// The upper limit of node:http: the same bytes every time, and no database.
import { createServer } from 'node:http';
import { listen } from './listen.js';

const MARATHON = { id: 1, name: 'Marathon number 1', city: 'City 1', inception_year: 1901 };
const ITEM = JSON.stringify(MARATHON);
const LIST = JSON.stringify({ marathon_list: Array.from({ length: 100 }, () => MARATHON) });

await listen(
  createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      const isPost = request.method === 'POST';
      const body = isPost ? '{"id":4}' : request.url === '/marathon/' ? LIST : ITEM;
      response.writeHead(isPost ? 201 : 200, {
        'Content-Type': 'application/json',
        'Content-Length': body.length,
      });
      response.end(body);
    });
  }),
);
