import { BadRequestException, NotFoundException } from '@nestjs/common';
import { fromRequest } from '../http/from-request.js';
import { LARGEST_ID } from './marathon.dto.js';

/** Gives a handler the id in its address: a whole number, and one that a marathon could have. */
export const MarathonId = () => fromRequest(({ params }) => readId((params as { id: string }).id));

function readId(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new BadRequestException(
      `"${text}" is not an id: write a whole number, as in /marathon/4.`,
    );
  }
  const id = Number(text);
  if (id > LARGEST_ID) throw new NotFoundException(`There is no marathon ${text}.`);
  return id;
}
