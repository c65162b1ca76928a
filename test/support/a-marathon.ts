import type { CreateMarathonDto } from '../../src/marathon/marathon.dto.js';

/** A marathon to send. Name only the members that matter to the test. */
export function aMarathon(details: Partial<CreateMarathonDto> = {}): CreateMarathonDto {
  return { name: 'Boston Marathon', city: 'Boston', inception_year: 1897, ...details };
}
