// Two pictures of a run, out of what `--json` prints: size against throughput, and the nanoseconds of a pair by allocator.
import { KIB, MIB, sizeText } from './_scenarios.mjs';
import { across, bottomAxis, decades, frame, joined, leftAxis, legend, logScale, markers, picture, text } from './_svg.mjs';

/** One line of who measured, where; one of with what. */
function aboutOf({ commit, machine, versions, quick }) {
  const { cpu, cpus, memoryGiB, system, load } = machine;
  const { offheap, node, glibc, koffi } = versions;
  const library = glibc === null ? '' : `, glibc ${glibc}`;
  return [
    `${cpu}, ${cpus} CPUs, ${memoryGiB} GiB, ${system}, load ${load}`,
    `offheap ${offheap}, commit ${commit === null ? 'unknown' : commit.replace(/^([0-9a-f]{10})[0-9a-f]*/, '$1')}, Node ${node}${library}, koffi ${koffi}; a ${quick ? 'quick' : 'full'} run`,
  ];
}

const number = (value) => value.toLocaleString('en-US');

/** The series of which a picture has a point. */
const shown = (all, points) => all.filter(({ key }) => points.some((one) => one.key === key));

// === Size against throughput ===

const STREAM = 'streaming stores in C';
const OPERATIONS = {
  copy: { buffer: 'Buffer.copy, ranges', library: 'memcpy in C', stream: STREAM },
  fill: { buffer: 'Buffer.fill, ranges', library: 'memset in C', stream: STREAM },
  compare: { buffer: 'Buffer.compare, ranges', library: 'memcmp in C' },
};

/** The last one is drawn over the others, and named first. */
const SPEEDS = [
  { key: 'library', name: 'the C library (memcpy, memset, memcmp), called in a C loop', shape: 'square', colour: 'third' },
  { key: 'stream', name: 'streaming stores in C', shape: 'diamond', colour: 'fourth' },
  { key: 'buffer', name: 'Buffer, with ranges', shape: 'triangle', colour: 'second' },
  { key: 'ours', name: 'offheap', shape: 'circle', colour: 'ours' },
];

const UNITS = { B: 1, KiB: KIB, MiB: MIB };

/** Of the rows of plain copies, fills and comparisons every figure, in GB/s of one side. */
export function speedsIn(rows) {
  const points = rows.filter(({ group }) => group === 'ops').flatMap(({ operation, unit, ours, peers }) => {
    const [, name, count, size] = /^(copy|fill|compare) (\d+) (B|KiB|MiB)$/.exec(operation) ?? [];
    if (name === undefined) return [];
    const bytes = Number(count) * UNITS[size];
    const figures = { ours, ...Object.fromEntries(Object.entries(OPERATIONS[name]).map(([key, peer]) => [key, peers[peer]])) };
    return Object.entries(figures)
      .filter(([, figure]) => typeof figure === 'number')
      .map(([key, figure]) => ({ panel: name, key, bytes, speed: unit === 'ns' ? bytes / figure : figure }));
  });
  return points.toSorted((a, b) => a.bytes - b.bytes);
}

const PANEL = { width: 290, height: 330, gap: 22, left: 66, top: 146 };

/** Sizes with a number below, 64 times apart; between them every fourfold has a line. */
function sizeTicks(sizes) {
  const [low, high] = [sizes[0], sizes.at(-1)];
  const lines = Array.from({ length: 20 }, (_, power) => 4 ** power).filter((size) => size >= low && size <= high);
  return { lines, named: lines.filter((size) => Math.log2(size) % 6 === 0) };
}

/** @returns the picture, or undefined when the run has none of its rows */
export function speedPlot(run) {
  const points = speedsIn(run.rows);
  if (points.length === 0) return undefined;
  const sizes = points.map(({ bytes }) => bytes);
  const speeds = points.map(({ speed }) => speed);
  const ticks = decades(Math.min(...speeds), Math.max(...speeds));
  const series = shown(SPEEDS, points);
  const panels = Object.keys(OPERATIONS).filter((name) => points.some(({ panel }) => panel === name));
  const parts = panels.flatMap((name, index) => {
    const left = PANEL.left + index * (PANEL.width + PANEL.gap);
    const box = { left, right: left + PANEL.width, top: PANEL.top, bottom: PANEL.top + PANEL.height };
    const x = logScale(sizes[0], Math.max(sizes.at(-1), 2 * sizes[0]), box.left + 12, box.right - 12);
    const y = logScale(ticks[0], ticks.at(-1), box.bottom, box.top);
    const bottom = sizeTicks(sizes);
    const drawn = series.flatMap((one) => {
      const places = points.filter(({ panel, key }) => panel === name && key === one.key).map(({ bytes, speed }) => [x(bytes), y(speed)]);
      return places.length === 0 ? [] : [joined(places, one), markers(places, one)];
    });
    return [
      text((box.left + box.right) / 2, box.top - 10, name, { class: 'panel', 'text-anchor': 'middle' }),
      leftAxis(box, y, ticks, index === 0 ? number : undefined), bottomAxis(box, x, bottom.lines, sizeText, bottom.named), frame(box), ...drawn,
    ];
  });
  const width = PANEL.left + panels.length * (PANEL.width + PANEL.gap) + 4;
  const middle = PANEL.top + PANEL.height / 2;
  return picture({
    width: Math.max(width, 700),
    height: PANEL.top + PANEL.height + 52,
    title: 'Size against throughput: copy, fill, compare',
    about: aboutOf(run),
    colours: Object.fromEntries(series.map(({ key, colour }) => [key, colour])),
  }, [
    legend(series.toReversed(), 24, 104),
    text(20, middle, 'GB/s of one side (logarithmic)', { class: 'unit', 'text-anchor': 'middle', transform: `rotate(-90 20 ${middle})` }),
    ...parts,
    text((PANEL.left + width) / 2, PANEL.top + PANEL.height + 40, 'bytes of one operation (logarithmic)', { class: 'unit', 'text-anchor': 'middle' }),
  ]);
}

// === The nanoseconds of a pair ===

const PAIRS = [
  { key: 'koffi', name: 'malloc and free through koffi', peers: ['koffi malloc/free'], shape: 'square', colour: 'third' },
  { key: 'buffer', name: 'Buffer, not freed', peers: ['Buffer.allocUnsafe', 'Buffer.allocUnsafeSlow'], shape: 'triangle', colour: 'second' },
  { key: 'thing', name: '@thi.ng/malloc', peers: ['@thi.ng/malloc'], shape: 'diamond', colour: 'fourth' },
  { key: 'typed', name: 'typedarray-pool', peers: ['typedarray-pool'], shape: 'wedge', colour: 'fifth' },
  { key: 'ours', name: 'offheap', shape: 'circle', colour: 'ours' },
];

const SECTIONS = [
  { title: 'Blocks', has: ({ group, operation }) => group === 'alloc' && /^pair .*(LIFO|random order)$/.test(operation) && !operation.includes('page') },
  { title: 'Memory pools', has: ({ group, operation }) => group === 'pools' && /pools? .*1 KiB/.test(operation) && !operation.includes('bytes()') },
  { title: 'Named allocators', has: ({ group }) => group === 'allocators' },
];

/** Sections of rows that have somebody beside ours, each row with its figures by series. */
export function pairsIn(rows) {
  const sections = SECTIONS.map(({ title, has }) => ({
    title,
    rows: rows.filter((row) => row.unit === 'ns' && has(row)).map(({ operation, ours, peers }) => {
      const figures = PAIRS.map(({ key, peers: names }) => [key, key === 'ours' ? ours : names.map((name) => peers[name]).find((value) => typeof value === 'number')]);
      return { name: operation, figures: Object.fromEntries(figures.filter(([, figure]) => typeof figure === 'number')) };
    }).filter(({ figures }) => Object.keys(figures).length > 1),
  }));
  return sections.filter((section) => section.rows.length > 0);
}

const LIST = { left: 370, right: 930, top: 122, row: 22, head: 30 };

/** Where each row stands, from top to bottom. */
function placed(sections) {
  let y = LIST.top;
  return sections.map(({ title, rows }) => {
    const head = y + LIST.head - 8;
    y += LIST.head;
    return { title, head, rows: rows.map((row) => ({ ...row, y: (y += LIST.row) - LIST.row / 2 })) };
  });
}

const shortened = (name) => name.replace(', replaced in random order', ', in random order').replace(' at one call site', '');

/** @returns the picture, or undefined when the run has none of its rows */
export function pairPlot(run) {
  const sections = placed(pairsIn(run.rows));
  const rows = sections.flatMap((section) => section.rows);
  if (rows.length === 0) return undefined;
  const points = rows.flatMap(({ y, figures }) => Object.entries(figures).map(([key, ns]) => ({ key, ns, y })));
  const figures = points.map(({ ns }) => ns);
  const ticks = decades(Math.min(...figures), Math.max(...figures));
  const box = { left: LIST.left, right: LIST.right, top: LIST.top, bottom: rows.at(-1).y + LIST.row };
  const x = logScale(ticks[0], ticks.at(-1), box.left, box.right);
  const series = shown(PAIRS, points);
  return picture({
    width: LIST.right + 30,
    height: box.bottom + 52,
    title: 'Nanoseconds of a pair of allocate and free, by allocator',
    about: aboutOf(run),
    colours: Object.fromEntries(series.map(({ key, colour }) => [key, colour])),
  }, [
    legend(series.toReversed(), 24, 104),
    bottomAxis(box, x, ticks, number),
    ...rows.map(({ y }) => across(box, y)),
    frame(box),
    ...sections.map(({ title, head }) => text(24, head, title, { class: 'panel' })),
    ...rows.map(({ name, y }) => text(LIST.left - 10, y + 4, shortened(name), { class: 'name', 'text-anchor': 'end' })),
    ...series.map((one) => markers(points.filter(({ key }) => key === one.key).map(({ ns, y }) => [x(ns), y]), one)),
    text((box.left + box.right) / 2, box.bottom + 40, 'ns of a pair (logarithmic); less is better', { class: 'unit', 'text-anchor': 'middle' }),
  ]);
}

/**
 * Files by name, of those pictures that the run has rows for.
 * @returns {Record<string, string>}
 */
export function plotsOf(run) {
  const pictures = { 'throughput.svg': speedPlot(run), 'pairs.svg': pairPlot(run) };
  return Object.fromEntries(Object.entries(pictures).filter(([, svg]) => svg !== undefined));
}
