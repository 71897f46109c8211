/**
 * Environment: the OFFHEAP_* variables, read once when the package loads.
 * Room: environment (4). May use: options.
 */
import { readEnvironment } from './options.js';
import type { Environment } from './options.js';

export const environment: Environment = readEnvironment(process.env);

/** Throws what is wrong with the environment, at the first use of the package and at every later one. */
export function requireEnvironment(): void {
  if (environment.error !== undefined) throw environment.error;
}
