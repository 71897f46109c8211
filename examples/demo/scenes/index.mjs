// @ts-check
// The scenes, in the order of the show. Each allocates what it needs and leaves nothing.
import { alignment } from './alignment.mjs';
import { allocators } from './allocators.mjs';
import { basicOperations } from './basic-operations.mjs';
import { bufferIntegration } from './buffer-integration.mjs';
import { directIo } from './direct-io.mjs';
import { leakDetection } from './leak-detection.mjs';
import { manipulation } from './manipulation.mjs';
import { memoryPool } from './memory-pool.mjs';
import { reallocation } from './reallocation.mjs';
import { safety } from './safety.mjs';
import { speed } from './speed.mjs';
import { statistics } from './statistics.mjs';
import { workers } from './workers.mjs';

/** @type {readonly import('../types.js').Scene[]} */
export const scenes = [
  basicOperations,
  alignment,
  directIo,
  manipulation,
  reallocation,
  bufferIntegration,
  leakDetection,
  memoryPool,
  allocators,
  workers,
  safety,
  speed,
  statistics,
];
