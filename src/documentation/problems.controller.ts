import { readFile } from 'node:fs/promises';
import { Controller, Get, Header } from '@nestjs/common';
import { Describes } from '../http/api-operation.js';
import type { ApiOperation } from '../http/api-types.js';
import { textFromPath } from '../http/from-request.js';
import { RequiresRole } from '../http/route-rules.js';
import { findUpwards } from '../http/package-files.js';
import { ProblemError, PROBLEMS, typeOf, type ProblemCode } from '../problems/problems.js';

const TEXT = 'text/plain; charset=utf-8';

const TEXT_CONTENT = { 'text/plain': { schema: { type: 'string' } } };
const PROBLEMS_OPERATION: ApiOperation = {
  id: 'listProblems',
  tag: 'Documentation',
  summary: 'Describe all problems',
  responses: { 200: { description: 'The descriptions, in Markdown.', content: TEXT_CONTENT } },
  isLocal: true,
};
const PROBLEM_OPERATION: ApiOperation = {
  id: 'getProblem',
  tag: 'Documentation',
  summary: 'Describe a problem',
  responses: { 200: { description: 'The description, in Markdown.', content: TEXT_CONTENT } },
  problems: ['unknown_address'],
  isLocal: true,
};

/** Serves the descriptions of problems, at the addresses in their `type`. */
@Controller('problems')
export class ProblemsController {
  @Get()
  @RequiresRole('anyone')
  @Describes(PROBLEMS_OPERATION)
  @Header('Content-Type', TEXT)
  async describeAll(): Promise<string> {
    return readDescriptions();
  }

  @Get(':name')
  @RequiresRole('anyone')
  @Describes(PROBLEM_OPERATION)
  @Header('Content-Type', TEXT)
  async describe(@textFromPath('name', 'not-found') name: string): Promise<string> {
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
