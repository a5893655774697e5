// Comfort only: every page works without it.
"use strict";

const typing = (target) => target.closest("input, select, textarea") !== null;

// j and k: the next and the previous step. n and p: the next and the previous episode or page. /: the search field.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const go = { n: "next", p: "prev" }[event.key];
  if (go) document.querySelector(`a[rel="${go}"]`)?.click();
  if (event.key === "/") {
    const field = document.querySelector('input[type="search"]');
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
  if (event.key === "j" || event.key === "k") {
    const steps = [...document.querySelectorAll(".step")].filter((step) => step.offsetParent !== null);
    const tops = steps.map((step) => step.getBoundingClientRect().top);
    const at = event.key === "j" ? tops.findIndex((top) => top > 24) : tops.findLastIndex((top) => top < 0);
    if (at >= 0) {
      steps[at].scrollIntoView();
      steps[at].querySelector("a")?.focus({ preventScroll: true });
    }
  }
});

// In a tree: arrow keys from node to node; each names its parent, the rest follows.
for (const tree of document.querySelectorAll("svg.tree")) {
  const nodes = [...tree.querySelectorAll("a.node")];
  const parent = (node) => nodes.find((other) => other.dataset.key === node.dataset.parent);
  const children = (node) => nodes.filter((other) => other.dataset.parent === node.dataset.key);
  tree.addEventListener("keydown", (event) => {
    const node = event.target.closest("a.node");
    if (!node) return;
    const up = parent(node);
    const beside = up ? children(up) : [node];
    const level = nodes.filter((other) => other.dataset.depth === node.dataset.depth);
    const move = (among, by) => among[among.indexOf(node) + by];
    const to = {
      ArrowLeft: () => up,
      ArrowRight: () => children(node)[0],
      ArrowUp: () => move(beside, -1) ?? move(level, -1),
      ArrowDown: () => move(beside, 1) ?? move(level, 1),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    to()?.focus();
  });
}

// What a link into a folded part points at is unfolded.
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
addEventListener("DOMContentLoaded", unfold);
