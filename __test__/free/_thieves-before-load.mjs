// For --import: the thieves are there before the package is.
import { install } from './_thieves.mjs';

install();
