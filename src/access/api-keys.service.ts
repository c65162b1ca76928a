import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository } from 'typeorm';
import { DatabaseStartup } from '../database/database-startup.js';
import type { Authorship } from '../http/write-options.js';
import { ProblemError } from '../problems/problems.js';
import { ApiKeyCache } from './api-key-cache.js';
import type { ApiKeyResponse, CreateApiKeyDto, NewApiKeyResponse } from './api-key.dto.js';
import { ApiKey } from './api-key.entity.js';
import { hashOf, makeApiKey } from './api-key-format.js';
import { LastUses } from './last-uses.js';

/** Creates, lists and revokes API keys. */
@Injectable()
export class ApiKeysService {
  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    private readonly database: DatabaseStartup,
    private readonly cache: ApiKeyCache,
    private readonly lastUses: LastUses,
  ) {}

  /**
   * Creates a key. Only this response shows it.
   * @throws {ProblemError} `already_exists` if the request was executed before: its key cannot be shown again.
   */
  async create(
    { name, role, expires_at }: CreateApiKeyDto,
    { requestId, by = null! }: Authorship,
  ): Promise<NewApiKeyResponse> {
    const key = makeApiKey();
    const values = { name, role, expires_at, request_id: requestId, created_by: by };
    const insert = this.keys
      .createQueryBuilder()
      .insert()
      .values({ ...values, hash: hashOf(key), created_at: () => 'now()' })
      .orIgnore();
    const stored = await this.database.withRetry(async () => {
      await insert.execute();
      return this.keys.findOneByOrFail({ request_id: requestId });
    });
    if (stored.hash !== hashOf(key)) throw alreadyCreated(stored);
    await this.cache.refresh();
    return { ...toResponse(stored), key };
  }

  /** All keys, by id, also those that are revoked or expired. */
  async findAll(): Promise<ApiKeyResponse[]> {
    return this.database.withRetry(async () => {
      await this.lastUses.store();
      return (await this.keys.find({ order: { id: 'ASC' } })).map(toResponse);
    });
  }

  /**
   * Revokes a key. It is refused at once by this instance, and within a second by the others.
   * @throws {ProblemError} `not_found`
   */
  async revoke(id: number): Promise<void> {
    await this.database.withRetry(async () => {
      const changes = { revoked_at: () => 'now()', revision: () => 'revision + 1' };
      const { affected } = await this.keys.update({ id, revoked_at: IsNull() }, changes);
      if (!affected && !(await this.keys.existsBy({ id }))) throw noSuchKey(id);
    });
    await this.cache.refresh();
  }

  /** Whether there is a key that is not revoked. */
  async hasKeys(): Promise<boolean> {
    return this.database.withRetry(async () => this.keys.existsBy({ revoked_at: IsNull() }));
  }
}

function toResponse(key: ApiKey): ApiKeyResponse {
  const { id, name, role, created_by, created_at, expires_at, revoked_at, last_used_at } = key;
  return { id, name, role, created_by, created_at, expires_at, revoked_at, last_used_at };
}

function alreadyCreated({ id }: ApiKey): ProblemError {
  return new ProblemError(
    'already_exists',
    `This request was executed before and created the key ${id}, which cannot be shown again. ` +
      `Revoke it with DELETE /keys/${id}, and create another one with a new Idempotency-Key.`,
  );
}

function noSuchKey(id: number): ProblemError {
  return new ProblemError('not_found', `There is no API key ${id}. GET /keys lists them.`);
}
