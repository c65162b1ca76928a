/** What a client may do. Each role may do what the ones before it may. */
export const ROLES = ['reader', 'writer', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** Who sent a request: the holder of an API key. */
export interface Principal {
  /** The name of the key, which the journal stores as the author of a write. */
  name: string;
  role: Role;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined if access is open, or if the request has no key. */
    principal?: Principal;
    /** Whether the key may still be used. For responses that go on for a long time. */
    isStillAllowed: () => Promise<boolean>;
  }
}

/** Whether a role includes the rights of another one. */
export function hasRights(role: Role, required: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(required);
}
