import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { whenBegun } from '../http/prepared-headers.js';
import { hasRights, type Role } from '../http/principal.js';
import { prependRequestHook } from '../http/route-hooks.js';
import { requiredRoleOf } from '../http/route-rules.js';
import { DEADLINE_TOLERANCE_MS, withinDeadlineFromUse } from '../pool/deadline.js';
import { insufficientRole, invalidKey, isUsable, keyRequired } from './access-problems.js';
import { ApiKeyCache } from './api-key-cache.js';
import { credentialsOf } from './credentials.js';
import type { StoredKey } from './known-keys.js';
import { LastUses } from './last-uses.js';

type Done = (error?: Error) => void;

declare module 'fastify' {
  interface FastifyRequest {
    /** The valid key of the request, as the limit of its requests found it. */
    countedKey?: StoredKey;
  }
}

/**
 * Checks the API key of each request, before its body is read. A hook and no guard: Nest awaits each guard,
 * which costs a request more than the check itself.
 */
@Injectable()
export class AccessControl {
  constructor(
    private readonly keys: ApiKeyCache,
    private readonly lastUses: LastUses,
    @InjectSettings() private readonly settings: Settings,
  ) {}

  /** Call it before the routes are registered, and after the other hooks that they get. */
  enforce(fastify: FastifyInstance): void {
    fastify.decorateRequest('principal').decorateRequest('countedKey');
    const isStillAllowed = async (request: FastifyRequest) => this.isStillAllowed(request);
    fastify.decorateRequest('isStillAllowed', async function isAllowed(this: FastifyRequest) {
      return isStillAllowed(this);
    });
    if (this.settings.access === 'open') return;
    fastify.addHook('onRoute', (route) => {
      const required = this.requiredRole(route);
      if (required === 'anyone') return;
      const check = (request: FastifyRequest, reply: FastifyReply, done: Done) => {
        // a shared cache must not answer those who have no key
        if (this.settings.access === 'closed') reply.header('Cache-Control', 'private, no-cache');
        this.check(request, reply, required, done);
      };
      prependRequestHook(route, check);
    });
  }

  /** The id of the key of a request, if it is valid as far as this instance knows. */
  findKeyId(request: FastifyRequest): number | undefined {
    if (this.settings.access === 'open') return undefined;
    const text = credentialsOf(request);
    const key = text === undefined ? undefined : this.keys.find(text);
    if (!isUsable(key)) return undefined;
    request.countedKey = key;
    return key.id;
  }

  /** Undefined if no key is required. A key that is sent is checked nevertheless. */
  private requiredRole({ method, config = {} }: RouteOptions): Role | 'anyone' | undefined {
    if (config.isCatchAll) return 'anyone';
    const role = requiredRoleOf([method].flat(), config);
    return role === 'reader' && this.settings.access === 'keys' ? undefined : role;
  }

  private check(
    request: FastifyRequest,
    reply: FastifyReply,
    required: Role | undefined,
    done: Done,
  ): void {
    const { countedKey } = request;
    if (countedKey && this.keys.isFresh) {
      done(this.admit(request, countedKey, required));
      return;
    }
    const text = credentialsOf(request);
    if (text === undefined) {
      done(required && keyRequired(required));
      return;
    }
    const decide = () => done(this.findProblem(request, text, required));
    if (this.keys.isFresh) {
      decide();
      return;
    }
    const { deadlineMs } = this.settings;
    const startedAt = Date.now();
    const proceed = () => {
      const waitedMs = Date.now() - startedAt;
      if (waitedMs < DEADLINE_TOLERANCE_MS) decide();
      else continueWithin(deadlineMs - waitedMs, reply.raw, decide);
    };
    this.keys.refresh(startedAt + deadlineMs).then(proceed, done);
  }

  /** Sets the principal of the request, or returns why it is refused. */
  private findProblem(
    request: FastifyRequest,
    text: string,
    required: Role | undefined,
  ): Error | undefined {
    const key = this.keys.find(text);
    return isUsable(key) ? this.admit(request, key, required) : invalidKey(key, text);
  }

  private admit(
    request: FastifyRequest,
    key: StoredKey,
    required: Role | undefined,
  ): Error | undefined {
    if (required && !hasRights(key.role, required)) return insufficientRole(key, required);
    this.lastUses.note(key.id);
    request.principal = key;
    return undefined;
  }

  private async isStillAllowed(request: FastifyRequest): Promise<boolean> {
    if (!request.principal) return true;
    if (!this.keys.isFresh) await this.keys.refresh();
    return isUsable(this.keys.find(credentialsOf(request)!));
  }
}

/** A request that waited for the keys has no more time left than another one, until its response begins. */
function continueWithin(remainingMs: number, response: ServerResponse, proceed: () => void): void {
  void withinDeadlineFromUse(remainingMs, async () => {
    const begun = hasBegun(response);
    proceed();
    await begun;
  });
}

/** Resolves also if the client leaves before, or has left. */
async function hasBegun(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    whenBegun(response, () => resolve());
    response.once('close', resolve);
  });
}
