// The address holds every choice: "#/", or "#/view?name=value&...". Anything else is a place in the page.
const views = Object.create(null);

// A view is {title, show(place, choices)}: `show` fills an empty element. See matrix.js.
const addView = (name, view) => (views[name] = view);

// A place in the tables leaves the choices as they were.
let last = {};
function choices() {
  if (placeInTables()) return { ...last, view: "tables" };
  const [, name, query] = location.hash.match(/^#\/([\w-]*)(?:\?(.*))?$/) ?? [];
  last = { view: views[name] ? name : "", ...Object.fromEntries(new URLSearchParams(query ?? "")) };
  return last;
}
function placeInTables() {
  const target = location.hash.startsWith("#/") ? null : document.getElementById(location.hash.slice(1));
  return tables.contains(target) ? target : null;
}

// Address of a view with choices; an empty one is left out.
function address(view, wanted = {}) {
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== "" && value !== undefined && value !== null));
  return `#/${view}${query.size ? `?${query}` : ""}`;
}

// A link to another view, which keeps metric, real or simulated, and what is ranked within.
function link(view, wanted, ...children) {
  const { metric, cohorts, set, cohortset, protocol } = choices();
  return el("a", { href: address(view, { metric, cohorts, set, cohortset, protocol, ...wanted }) }, ...children);
}

// What a view was last asked to show, for the links to all views: a concept chosen in one is that of another.
const KEPT = { "": ["concept"], model: ["entry", "concept"], cohort: ["cohort"], concept: ["concept"], compare: ["a", "b"] };
function pageLink(view, text) {
  const now = choices();
  return link(view, Object.fromEntries((KEPT[view] ?? []).map((name) => [name, now[name]])), text);
}

// Say in the address what is shown in place of what was asked for.
function restate(changes) {
  const { view, ...before } = choices();
  history.replaceState(null, "", address(view, { ...before, ...changes }));
}

// Change some choices of the present view. What is typed letter by letter makes one step of the history.
function choose(changes, { typed = false } = {}) {
  const { view, ...before } = choices();
  const hash = address(view, { ...before, ...changes });
  if (hash === location.hash) return;
  if (typed) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  show({ keepFocus: true });
}
