import {
  BadRequestException,
  ValidationPipe,
  type ArgumentMetadata,
  type PipeTransform,
} from '@nestjs/common';
import { getMetadataStorage, type ValidationError } from 'class-validator';
import { closestMatch } from 'leven';

const FARTHEST_TYPO = 4;

/** A body is one JSON object; validation by class lets arrays and bare values through. */
export class ObjectBodyPipe implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    if (type !== 'body' || isObject(value)) return value;
    throw new BadRequestException(
      `Send one JSON object, such as {"name":"Boston Marathon"}, and not ${describe(value)}.`,
    );
  }
}

/** Checks what is sent against its class, and reports every fault of it at once. */
export const validationPipe = new ValidationPipe({
  transform: true,
  whitelist: true,
  forbidNonWhitelisted: true,
  stopAtFirstError: true,
  exceptionFactory: (faults) => new BadRequestException(describeFaults(faults)),
});

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  return value === null ? 'null' : `a ${typeof value}`;
}

function describeFaults(faults: ValidationError[]) {
  const errors = faults.map((fault) => ({
    pointer: `#/${escapePointer(fault.property)}`,
    detail: describeFault(fault),
  }));
  const detail = errors.map((error) => `${error.pointer.slice(2)} ${error.detail}`).join('; ');
  return { detail: `${detail}.`, errors };
}

function describeFault({ constraints = {}, property, target }: ValidationError): string {
  if (!('whitelistValidation' in constraints)) return Object.values(constraints)[0] ?? 'is invalid';
  const known = knownMembers(target);
  const nearest = closestMatch(property, known, { maxDistance: FARTHEST_TYPO });
  return nearest
    ? `is not known: did you mean ${nearest}?`
    : `is not known: there are ${known.join(', ')}`;
}

function knownMembers(target: object | undefined): string[] {
  const rules = target?.constructor as Function;
  const metadata = getMetadataStorage().getTargetValidationMetadatas(rules, '', false, false);
  return [...new Set(metadata.map((rule) => rule.propertyName))];
}

/** RFC 6901, section 3. */
function escapePointer(member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1');
}
