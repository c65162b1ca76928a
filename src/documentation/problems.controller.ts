import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Param } from '@nestjs/common';
import { RequiresRole } from '../http/route-rules.js';
import { ProblemError, PROBLEMS, typeOf, type ProblemCode } from '../problems/problems.js';

const TEXT = 'text/plain; charset=utf-8';

/** Serves the descriptions of problems, at the addresses in their `type`. */
@Controller('problems')
export class ProblemsController {
  @Get()
  @RequiresRole('anyone')
  @Header('Content-Type', TEXT)
  async describeAll(): Promise<string> {
    return readDescriptions();
  }

  @Get(':name')
  @RequiresRole('anyone')
  @Header('Content-Type', TEXT)
  async describe(@Param('name') name: string): Promise<string> {
    const codes = Object.keys(PROBLEMS) as ProblemCode[];
    const code = codes.find((each) => typeOf(each) === `/problems/${name}`);
    if (!code) {
      throw new ProblemError(
        'unknown_address',
        `There is no problem "${name}". /problems has all.`,
      );
    }
    const sections = (await readDescriptions()).split(/^### /m);
    return sections.find((section) => section.startsWith(`${code}\n`))!;
  }
}

async function readDescriptions(): Promise<string> {
  return readFile(findUpwards('docs/errors.md', import.meta.dirname), 'utf8');
}

/** The source and its build have different depths below the package. */
function findUpwards(file: string, folder: string): string {
  const path = join(folder, file);
  if (existsSync(path) || folder === dirname(folder)) return path;
  return findUpwards(file, dirname(folder));
}
