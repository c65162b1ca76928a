import { IsFutureTime, IsOneOf, IsTrimmedText } from '../http/value-rules.js';
import { ROLES, type Role } from '../http/principal.js';

/** The body that creates an API key. */
export class CreateApiKeyDto {
  /** Who uses the key: the author of its writes. */
  @IsTrimmedText({ maxLength: 100, isRequired: true })
  name!: string;

  @IsOneOf(ROLES)
  role!: Role;

  /** Null for a key that does not expire. */
  @IsFutureTime()
  expires_at: Date | null = null;
}

/** An API key, without the key itself. */
export interface ApiKeyResponse {
  id: number;
  name: string;
  role: Role;
  created_by: string | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  /** To the minute. */
  last_used_at: Date | null;
}

/** A new API key. It is shown in this response only. */
export interface NewApiKeyResponse extends ApiKeyResponse {
  key: string;
}
