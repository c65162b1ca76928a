import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { hasRights, type Role } from '../http/principal.js';
import { startDeadline } from '../http/request-deadline.js';
import { runWithDeadline, type Deadline } from '../pool/deadline.js';
import { ApiKeyCache } from './api-key-cache.js';
import { assertUsable, insufficientRole, isUsable, keyRequired } from './access-problems.js';
import { credentialsOf, hasCredentials, presentedKey } from './credentials.js';
import { LastUses } from './last-uses.js';

type Done = (error?: Error) => void;

/** The deadlines of requests that waited for the keys. */
const deadlines = new WeakMap<FastifyRequest, Deadline>();

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
    fastify.decorateRequest('principal');
    fastify.decorateRequest('isStillAllowed');
    if (this.settings.access === 'open') return;
    fastify.addHook('onRoute', (route) => {
      const required = this.requiredRole(route);
      if (required === 'anyone') return;
      const check = (request: FastifyRequest, reply: FastifyReply, done: Done) => {
        // a shared cache must not answer those who have no key
        if (this.settings.access === 'closed') reply.header('Cache-Control', 'private, no-cache');
        this.check(request, required, done);
      };
      route.onRequest = [check, ...[route.onRequest ?? []].flat()];
    });
    fastify.addHook('preHandler', continueWithinDeadline);
  }

  /** Undefined if no key is required. A key that is sent is checked nevertheless. */
  private requiredRole({ method, config = {} }: RouteOptions): Role | 'anyone' | undefined {
    if (config.isCatchAll) return 'anyone';
    if (config.requiredRole) return config.requiredRole;
    const isRead = [method].flat().every((name) => name === 'GET' || name === 'HEAD');
    if (!isRead) return 'writer';
    return this.settings.access === 'closed' ? 'reader' : undefined;
  }

  private check(request: FastifyRequest, required: Role | undefined, done: Done): void {
    const decide = () => {
      try {
        this.admit(request, required);
      } catch (error) {
        done(error as Error);
        return;
      }
      done();
    };
    if (!hasCredentials(request) || this.keys.isFresh) {
      decide();
      return;
    }
    const deadline = startDeadline(request);
    deadlines.set(request, deadline);
    this.keys.refresh(deadline.endsAt).then(decide, done);
  }

  /** @throws {ProblemError} `key_required`, `invalid_key` or `insufficient_role` */
  private admit(request: FastifyRequest, required: Role | undefined): void {
    const text = credentialsOf(request);
    if (text === undefined) {
      if (required) throw keyRequired(required);
      return;
    }
    const key = this.keys.find(text);
    assertUsable(key);
    if (required && !hasRights(key.role, required)) throw insufficientRole(key, required);
    this.lastUses.note(key.id);
    request.principal = key;
    request.isStillAllowed = async () => this.isStillUsable(text);
  }

  /** The id of the key of a request, if it is valid as far as this instance knows. */
  findKeyId(request: FastifyRequest): number | undefined {
    const text = this.settings.access === 'open' ? undefined : presentedKey(request);
    const key = text === undefined ? undefined : this.keys.find(text);
    return isUsable(key) ? key.id : undefined;
  }

  private async isStillUsable(text: string): Promise<boolean> {
    if (!this.keys.isFresh) await this.keys.refresh();
    return isUsable(this.keys.find(text));
  }
}

/** A request that waited for the keys has no more time left than another one. */
function continueWithinDeadline(request: FastifyRequest, reply: FastifyReply, done: Done): void {
  const deadline = deadlines.get(request);
  if (!deadline) {
    done();
    return;
  }
  void runWithDeadline(deadline, async () => {
    const closed = new Promise((resolve) => reply.raw.once('close', resolve));
    done();
    await closed;
  });
}
