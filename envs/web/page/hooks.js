// Runs in the page's own world before any script of the page. Four small changes: elements that listen for presses are
// made known to the observer, by an event at the element, since no interface of the document tells of listeners; so is
// whether scripts wait for a frame; random numbers follow from the episode's seed; and closed shadow roots are opened,
// so that they can be read.
(() => {
  "use strict";
  const words = __WORDS__, kinds = new Set(["click", "mousedown", "mouseup", "pointerdown", "touchstart", "dblclick"]);
  const add = EventTarget.prototype.addEventListener, dispatch = EventTarget.prototype.dispatchEvent, Mark = Event;
  let waiting = [];
  const mark = (node) => dispatch.call(node, new Mark(words.mark, {composed: true}));
  EventTarget.prototype.addEventListener = function addEventListener(kind, ...rest) {
    if (kinds.has(kind) && this instanceof Element) waiting.push(new WeakRef(this));
    return Reflect.apply(add, this, [kind, ...rest]);
  };
  for (const kind of ["onclick", "onmousedown", "onmouseup", "onpointerdown"]) {
    for (const owner of [HTMLElement.prototype, SVGElement.prototype]) {
      const given = Object.getOwnPropertyDescriptor(owner, kind);
      if (given?.set) Object.defineProperty(owner, kind, {...given, set(value) {
        if (value) waiting.push(new WeakRef(this));
        given.set.call(this, value);
      }});
    }
  }
  Reflect.apply(add, document, [words.ask, (event) => {
    event.stopImmediatePropagation();
    if (frames.size || watching) event.preventDefault();
    waiting = waiting.filter((one) => {
      const node = one.deref();
      if (!node) return false;
      if (node.isConnected) mark(node);
      return !node.isConnected;
    });
  }, true]);
  const frames = new Set(), request = requestAnimationFrame, cancel = cancelAnimationFrame;
  let watching = false;  // for what only frames tell of
  globalThis.requestAnimationFrame = function requestAnimationFrame(callback) {
    const frame = request(typeof callback !== "function" ? callback : (time) => { frames.delete(frame); callback(time); });
    frames.add(frame);
    return frame;
  };
  globalThis.cancelAnimationFrame = function cancelAnimationFrame(frame) { frames.delete(frame); cancel(frame); };
  for (const name of ["IntersectionObserver", "ResizeObserver"]) {
    globalThis[name] = new Proxy(globalThis[name], {construct(...given) { watching = true; return Reflect.construct(...given); }});
  }
  // The same episode draws the same random numbers: mulberry32 (Tommy Ettinger).
  let state = (__SEED__ ^ (self === top ? 0 : 0x9e3779b9)) | 0;
  Math.random = function random() {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function attachShadow(options) {
    watching = true;  // what moves inside, the document does not tell
    return Reflect.apply(attach, this, [{...options, mode: "open"}]);
  };
})();
