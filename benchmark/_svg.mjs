// The parts that the plots are put together from: text that is safe in XML, scales, axes, markers. Nothing here knows the benchmark, and
// the same numbers give the same bytes.

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (text) => String(text).replaceAll(/[&<>"]/g, (character) => ESCAPES[character]);

/** A coordinate: a tenth of a pixel is finer than anybody sees. */
export const at = (value) => String(Math.round(value * 10) / 10);

export function tag(name, attributes, content = '') {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(typeof value === 'number' ? at(value) : value)}"`).join('');
  return content === '' ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`;
}

export const text = (x, y, content, attributes = {}) => tag('text', { x, y, ...attributes }, escaped(content));

const line = (x1, y1, x2, y2, kind) => tag('line', { x1, y1, x2, y2, class: kind });

// === Scales ===

/** Maps `[low, high]` to `[from, to]`, equal factors to equal lengths. */
export function logScale(low, high, from, to) {
  const width = Math.log(high / low);
  return (value) => from + ((to - from) * Math.log(value / low)) / width;
}

const STEPS = [1, 2, 5];

/** 1, 2 and 5 times the powers of ten, from the last that is no more than `least` to the first that is no less than `most`. */
export function decades(least, most) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power += 1) {
    for (const step of STEPS) ticks.push(power < 0 ? step / 10 ** -power : step * 10 ** power);
  }
  const first = ticks.findLastIndex((tick) => tick <= least);
  const last = ticks.findIndex((tick) => tick >= most);
  return ticks.slice(first, Math.max(last, first + 1) + 1);
}

/** Of such ticks those that get a number: the powers of ten, or all of them where there are few. */
export const numbered = (ticks) => (ticks.length <= 7 ? ticks : ticks.filter((tick) => Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9));

// === Axes ===

/** A line for the eye, from a name to its points. */
export const across = (box, y) => line(box.left, y, box.right, y, 'grid faint');

/** Lines across a panel at `ticks` of its left side, and numbers beside them; `box` has left, right, top, bottom. */
export function leftAxis(box, scale, ticks, label) {
  const named = numbered(ticks);
  const lines = ticks.map((tick) => line(box.left, scale(tick), box.right, scale(tick), named.includes(tick) ? 'grid' : 'grid faint'));
  const numbers = label ? named.map((tick) => text(box.left - 8, scale(tick) + 4, label(tick), { class: 'tick', 'text-anchor': 'end' })) : [];
  return [...lines, ...numbers].join('\n');
}

export function bottomAxis(box, scale, ticks, label, named = ticks) {
  const lines = ticks.map((tick) => line(scale(tick), box.top, scale(tick), box.bottom, named.includes(tick) ? 'grid' : 'grid faint'));
  const numbers = named.map((tick) => text(scale(tick), box.bottom + 17, label(tick), { class: 'tick', 'text-anchor': 'middle' }));
  return [...lines, ...numbers].join('\n');
}

export const frame = ({ left, right, top, bottom }) => tag('rect', { x: left, y: top, width: right - left, height: bottom - top, class: 'frame' });

// === Series ===

/** Each shape as a path around a point: told apart without colours too. */
const SHAPES = {
  circle: (x, y, r) => `M${at(x - r)} ${at(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  square: (x, y, r) => `M${at(x - r)} ${at(y - r)}h${2 * r}v${2 * r}h${-2 * r}z`,
  triangle: (x, y, r) => `M${at(x)} ${at(y - r - 1)}l${r + 1} ${2 * r + 1}h${-2 * r - 2}z`,
  diamond: (x, y, r) => `M${at(x)} ${at(y - r - 1)}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`,
  wedge: (x, y, r) => `M${at(x)} ${at(y + r + 1)}l${r + 1} ${-2 * r - 1}h${-2 * r - 2}z`,
};

/** All points of a series as one path of markers. */
export const markers = (points, { key, shape }) =>
  tag('path', { class: `marks ${key}`, d: points.map(([x, y]) => SHAPES[shape](x, y, 4)).join('') });

/** All points of a series joined, in their order. */
export const joined = (points, { key }) =>
  tag('path', { class: `line ${key}`, d: points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${at(x)} ${at(y)}`).join('') });

/** The series' names in a row, each behind its marker. */
export function legend(series, left, y) {
  let x = left;
  return series.map((one) => {
    const entry = markers([[x + 6, y - 4]], one).replace('class="marks', 'class="sample marks') + text(x + 17, y, one.name, { class: 'name' });
    x += 40 + 6.6 * one.name.length;
    return entry;
  }).join('\n');
}

// === The whole ===

/**
 * Colours for a light page, and for a dark one where the reader asks for it.
 * @type {Record<string, [string, string]>}
 */
export const COLOURS = {
  paper: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  quiet: ['#59636e', '#9198a1'],
  grid: ['#d1d9e0', '#3d444d'],
  ours: ['#0969da', '#58a6ff'],
  second: ['#bc4c00', '#f0883e'],
  third: ['#1a7f37', '#3fb950'],
  fourth: ['#8250df', '#bc8cff'],
  fifth: ['#bf3989', '#f778ba'],
};

const LAYOUT = `
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.title{font-size:17px;font-weight:600}.panel{font-size:14px;font-weight:600}.about{font-size:11px}
.grid,.frame{stroke-width:1}.faint{opacity:.45}.line,.frame{fill:none}.line{stroke-width:2;stroke-linejoin:round}`;

/** Rules for one of both pages, with the colours themselves: not every program that draws SVG knows variables. */
function rules(which, colours) {
  const of = (name) => COLOURS[name][which];
  const series = Object.entries(colours).map(([key, name]) => `.line.${key}{stroke:${of(name)}}.marks.${key}{fill:${of(name)}}`);
  return [`text{fill:${of('ink')}}.tick,.about,.unit{fill:${of('quiet')}}.paper{fill:${of('paper')}}.grid,.frame{stroke:${of('grid')}}`, ...series].join('\n');
}

/** A picture of such a size; `colours` gives each series key the name of its colour. */
export function picture({ width, height, title, about, colours }, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<style>${LAYOUT}
${rules(0, colours)}
@media (prefers-color-scheme:dark){
${rules(1, colours)}
}
</style>
${tag('rect', { width, height, class: 'paper' })}
${text(24, 34, title, { class: 'title' })}
${about.map((words, index) => text(24, 54 + 16 * index, words, { class: 'about' })).join('\n')}
${parts.join('\n')}
</svg>
`;
}
