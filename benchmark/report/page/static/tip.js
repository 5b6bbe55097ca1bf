// One box that explains what is pointed at: by mouse, by keyboard and by finger. Escape closes it.
const tip = el("div", { id: "tip", role: "tooltip", hidden: true });
let tipOf = null;

function explain(element, content) {
  if (tipOf !== element) closeTip();
  tipOf = element;
  tip.replaceChildren(...content().filter((child) => child !== null));
  tip.hidden = false;
  element.setAttribute("aria-describedby", "tip");
  const at = element.getBoundingClientRect();
  const box = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  const left = Math.max(8, Math.min(at.left + at.width / 2 - box.width / 2, room - box.width - 8));
  const below = at.bottom + 6 + box.height <= innerHeight;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${(below ? at.bottom + 6 : Math.max(4, at.top - 6 - box.height)) + scrollY}px`;
}

function closeTip() {
  tipOf?.removeAttribute("aria-describedby");
  tipOf = null;
  tip.hidden = true;
}

// Make an element explain itself; `content` gives the nodes of the box when it opens.
function explained(element, content) {
  const open = () => explain(element, content);
  element.addEventListener("pointerenter", open);
  element.addEventListener("focus", open);
  element.addEventListener("click", open);
  element.addEventListener("pointerleave", (event) => {
    if (document.activeElement !== element && !tip.contains(event.relatedTarget)) closeTip();
  });
  element.addEventListener("blur", (event) => {
    if (!tip.contains(event.relatedTarget)) closeTip();
  });
  return element;
}

tip.addEventListener("pointerleave", () => {
  if (document.activeElement !== tipOf) closeTip();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeTip();
});
addEventListener("pointerdown", (event) => {
  if (tipOf && !tip.contains(event.target) && !tipOf.contains(event.target)) closeTip();
});
// What a tip says: pairs of a name and a value.
const facts = (pairs) => el("dl", {}, pairs.filter(Boolean).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
