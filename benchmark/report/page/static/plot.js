// Small figures: a square with axes from 0 to 1, and what is drawn in it. Each has its numbers in a table behind it.
const SIDE = 190;
const [LEFT, TOP] = [42, 8];
const across = (share) => LEFT + SIDE * share;
const upward = (share) => TOP + SIDE * (1 - share);
const share = (units) => units / 10000;

// A frame with three ticks on each axis. `said` is all that a reader who cannot see it is told.
function squarePlot(said, across_, up_, ...drawn) {
  const tick = (at) => [
    svg("text", { x: across(at), y: TOP + SIDE + 13, "text-anchor": "middle" }, String(at)),
    svg("text", { x: LEFT - 4, y: upward(at) + 4, "text-anchor": "end" }, String(at)),
  ];
  return svg("svg", { class: "plot", viewBox: `0 0 ${LEFT + SIDE + 10} ${TOP + SIDE + 32}`, role: "img", "aria-label": said },
    svg("rect", { x: LEFT, y: TOP, width: SIDE, height: SIDE, class: "frame" }), [0, 0.5, 1].map(tick),
    svg("text", { x: across(0.5), y: TOP + SIDE + 28, "text-anchor": "middle" }, across_),
    svg("text", { x: 0, y: 0, transform: `translate(11 ${upward(0.5)}) rotate(-90)`, "text-anchor": "middle" }, up_), ...drawn);
}

const lineOf = (points, name) => svg("polyline", { points: points.map(([x, y]) => `${across(x).toFixed(1)},${upward(y).toFixed(1)}`).join(" "), class: name });
const straight = (x1, y1, x2, y2, name) => svg("line", { x1: across(x1), y1: upward(y1), x2: across(x2), y2: upward(y2), class: name });

// Marks that differ by form, not by colour alone: a square is the model's threshold, a diamond a reader, a dot a bin.
function markAt(x, y, form, said) {
  const [at, up] = [across(x), upward(y)];
  return form === "bin" ? svg("circle", { cx: at, cy: up, r: 3.5, class: form }, svg("title", {}, said))
    : svg("rect", { x: at - 3.5, y: up - 3.5, width: 7, height: 7, class: form, transform: form === "reader" ? `rotate(45 ${at} ${up})` : null }, svg("title", {}, said));
}

// Letters beside marks that lie close together: each goes down until it is clear of those above, with a line to its mark.
function lettered(marks) {
  const placed = [];
  return marks.map(([x, y, letter]) => ({ at: across(x), up: upward(y), letter })).sort((one, other) => one.up - other.up).map(({ at, up, letter }) => {
    let down = up;
    for (const other of placed) if (Math.abs(other.at - at) < 24 && down - other.down < 11) down = other.down + 11;
    placed.push({ at, down });
    const side = at > across(0.88) ? -1 : 1; // to the left at the right edge
    const x = at + side * (down === up ? 6 : 14);
    return [down === up ? null : svg("line", { x1: at, y1: up, x2: x - 2 * side, y2: down, class: "leader" }),
      svg("text", { x, y: down + 4, class: "letter", "text-anchor": side < 0 ? "end" : "start" }, letter)];
  });
}

// A figure with its caption beneath, and the numbers of it in a table that opens.
const figureOf = (caption, drawn, ...behind) => el("figure", { class: "small" }, el("div", { class: "row" }, drawn), el("figcaption", {}, caption), ...behind);
const behindIt = (summary, ...content) => el("details", {}, el("summary", {}, summary), ...content);
