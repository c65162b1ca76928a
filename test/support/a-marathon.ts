import type { CreateMarathonDto } from '../../src/marathon/marathon.dto.js';

/** A marathon to send; say only what matters to the test. */
export function aMarathon(details: Partial<CreateMarathonDto> = {}): CreateMarathonDto {
  return { name: 'Boston Marathon', city: 'Boston', inception_year: 1897, ...details };
}
