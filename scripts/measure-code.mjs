// Checks the limits of `docs/development.md`: the length of functions and files, and import cycles.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const LIMITS = { medianFunctionLines: 8, p90FunctionLines: 25, fileLines: 220 };
const ROOT = join(import.meta.dirname, '..');

const SOURCE = join(ROOT, 'src');
const files = readdirSync(SOURCE, { recursive: true })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join(SOURCE, file));
const sources = new Map(
  files.map((file) => [
    file,
    ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true),
  ]),
);

function linesOf(node, source) {
  const start = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  return source.getLineAndCharacterOfPosition(node.end).line - start + 1;
}

/** Named functions and methods; arrow functions count if they have a body in braces. */
function isMeasured(node) {
  if (ts.isArrowFunction(node)) return ts.isBlock(node.body);
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

function* functionLengths(node, source) {
  if (isMeasured(node)) yield linesOf(node, source);
  for (const child of node.getChildren(source)) yield* functionLengths(child, source);
}

function importsOf(file, source) {
  return source.statements.flatMap((statement) => {
    const path = statement.moduleSpecifier?.text;
    if (!path?.startsWith('.')) return [];
    const target = join(dirname(file), path.replace(/\.js$/, '.ts'));
    return sources.has(target) ? [target] : [];
  });
}

/** The files of the first import cycle that is reachable from `file`; undefined if there is none. */
function findCycle(file, path, visited) {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
  if (visited.has(file)) return undefined;
  visited.add(file);
  for (const imported of importsOf(file, sources.get(file))) {
    const cycle = findCycle(imported, [...path, file], visited);
    if (cycle) return cycle;
  }
  return undefined;
}

const lengths = [...sources.values()]
  .filter(({ fileName }) => !fileName.endsWith('.spec.ts'))
  .flatMap((source) => [...functionLengths(source, source)])
  .sort((a, b) => a - b);
const at = (part) => lengths[Math.floor(part * (lengths.length - 1))];
const measured = { medianFunctionLines: at(0.5), p90FunctionLines: at(0.9) };
const problems = Object.entries(measured)
  .filter(([name, value]) => value > LIMITS[name])
  .map(([name, value]) => `${name} is ${value}, and the limit is ${LIMITS[name]}`);

let longest = 0;
for (const [file, source] of sources) {
  const lines = source.getLineAndCharacterOfPosition(source.end).line;
  longest = Math.max(longest, lines);
  if (lines > LIMITS.fileLines) problems.push(`${relative(ROOT, file)} has ${lines} lines`);
}

const visited = new Set();
for (const file of files) {
  const cycle = findCycle(file, [], visited);
  if (cycle)
    problems.push(`Import cycle: ${cycle.map((each) => relative(ROOT, each)).join(' > ')}`);
}

console.log(
  `${lengths.length} functions, median ${measured.medianFunctionLines} lines, 90 % up to ` +
    `${measured.p90FunctionLines}; ${files.length} files, the longest ${longest} lines`,
);
for (const problem of problems) console.error(problem);
if (problems.length) process.exitCode = 1;
