import { BadRequestException, NotFoundException, type PipeTransform } from '@nestjs/common';
import { LARGEST_ID } from './marathon.dto.js';

/** The id in an address: a whole number, and one that a marathon could have. */
export class MarathonIdPipe implements PipeTransform<string, number> {
  transform(text: string): number {
    if (!/^\d+$/.test(text)) {
      throw new BadRequestException(
        `"${text}" is not an id: write a whole number, as in /marathon/4.`,
      );
    }
    const id = Number(text);
    if (id > LARGEST_ID) throw new NotFoundException(`There is no marathon ${text}.`);
    return id;
  }
}
