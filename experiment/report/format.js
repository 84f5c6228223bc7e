// Numbers and elements.

// A figure as the terminal's table has it: four decimals, three digits if it is small. Of whole numbers, none.
function number(value, whole = false) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (whole) return Math.abs(value) >= 1e4 ? value.toLocaleString("en") : String(value);
  const size = Math.abs(value);
  if (size >= 1e5) return value.toPrecision(4);
  return size >= 0.01 || size === 0 ? value.toFixed(4) : String(Number(value.toPrecision(3)));
}

function decimals(value, count) {
  if (typeof value !== "number") return "–";
  return value.toFixed(count).replace(/^-(0\.?0*)$/, "$1");
}

// With its standard error, which has one digit that means something.
function withError(value, error) {
  if (typeof value !== "number" || typeof error !== "number") return number(value);
  return `${number(value)} ± ${Number(error.toPrecision(1))}`;
}

// A setting, such as lambda: no more digits than it has.
function setting(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : number(value);
}

// An HTML element; texts become text nodes, never HTML.
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// Markers differ in shape too: colour is not the only sign.
const SHAPES = [
  (r) => `M0 ${-r}A${r} ${r} 0 1 1 0 ${r}A${r} ${r} 0 1 1 0 ${-r}Z`,
  (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
  (r) => `M0 ${-1.35 * r}L${1.35 * r} 0L0 ${1.35 * r}L${-1.35 * r} 0Z`,
  (r) => `M0 ${-1.2 * r}L${1.2 * r} ${r}H${-1.2 * r}Z`,
  (r) => `M0 ${1.2 * r}L${1.2 * r} ${-r}H${-1.2 * r}Z`,
  (r) => `M${-1.3 * r} ${-r / 2}H${-r / 2}V${-1.3 * r}H${r / 2}V${-r / 2}H${1.3 * r}V${r / 2}H${r / 2}V${1.3 * r}H${-r / 2}V${r / 2}H${-1.3 * r}Z`,
  (r) => `M${-1.2 * r} 0L${-r / 2} ${-1.1 * r}H${r / 2}L${1.2 * r} 0L${r / 2} ${1.1 * r}H${-r / 2}Z`,
];

// Of the curve with this number: colour, marker, dashes.
function look(index) {
  return {
    color: `var(--c${index % 10})`,
    shape: SHAPES[index % SHAPES.length],
    dash: [null, "7 3", "2 3"][Math.floor(index / 10) % 3],
  };
}

function swatch(style) {
  return drawn("svg", { viewBox: "0 0 28 14", "aria-hidden": "true" },
    drawn("path", { d: "M1 7H27", stroke: style.color, "stroke-width": 2, "stroke-dasharray": style.dash }),
    style.shape ? drawn("path", { d: style.shape(4), transform: "translate(14 7)", fill: style.color }) : null);
}
