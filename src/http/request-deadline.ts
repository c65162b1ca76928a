import { startDeadline } from '../database/opening.js';
import { fromRequest } from './from-request.js';

export type { Deadline } from '../database/deadline.js';

/** Gives a handler that makes several steps one deadline for all of them, which starts with the handler. */
export const RequestDeadline = () => fromRequest(() => startDeadline());
