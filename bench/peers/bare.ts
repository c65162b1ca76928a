// A server written for speed: node:http, pg and prepared statements, nothing else.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import pg from 'pg';
import { listen } from './listen.js';

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.DB_POOL_SIZE),
});

const LIST = {
  name: 'list',
  text: 'SELECT id, name, city, inception_year FROM marathon ORDER BY id',
};
const ITEM = {
  name: 'item',
  text: 'SELECT id, name, city, inception_year FROM marathon WHERE id = $1',
};
const CREATE = {
  name: 'create',
  text: 'INSERT INTO marathon (name, city, inception_year) VALUES ($1, $2, $3) RETURNING id',
};

await listen(
  createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      answer(response, 500, { error: String(error) });
    });
  }),
);

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, id] = /^\/marathon\/(\d*)$/.exec(request.url ?? '') ?? [];
  if (request.method === 'POST') await create(request, response);
  else if (id === undefined) answer(response, 404, { error: 'not found' });
  else if (id) await findOne(Number(id), response);
  else answer(response, 200, { marathon_list: (await pool.query(LIST)).rows });
}

async function findOne(id: number, response: ServerResponse): Promise<void> {
  const { rows } = await pool.query({ ...ITEM, values: [id] });
  if (rows[0]) answer(response, 200, rows[0] as object);
  else answer(response, 404, { error: 'not found' });
}

async function create(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { name, city, inception_year } = JSON.parse(Buffer.concat(chunks).toString());
  const { rows } = await pool.query({ ...CREATE, values: [name, city, inception_year] });
  answer(response, 201, rows[0] as object);
}

function answer(response: ServerResponse, status: number, content: object): void {
  const body = JSON.stringify(content);
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': length });
  response.end(body);
}
