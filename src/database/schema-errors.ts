/**
 * The schema is not what the service needs, and the change is not one that it makes by itself. The message
 * lists the statements and the ways out.
 */
export class UnsafeSchemaChangeError extends Error {
  override readonly name = 'UnsafeSchemaChangeError';
}

/** The database cannot store the registry. */
export class UnsuitableDatabaseError extends Error {
  override readonly name = 'UnsuitableDatabaseError';
}

/** The database role lacks a privilege. The message names it, and the SQL that grants it. */
export class MissingPrivilegeError extends Error {
  override readonly name = 'MissingPrivilegeError';
}
