// What an agent sees of a page: its text with the interactive elements numbered, and what can be done with each.
//
// Runs in an isolated world, which shares the document with the page and none of its objects, so that a page can
// neither call nor break it. Nothing here changes the document. Numbers are given in document order when an element is
// first seen and stay with it, until `observe` is told to begin anew. Frames of the same origin and open shadow roots are read in place.
(() => {
  "use strict";
  const CONTROLS = new Set(["button", "checkbox", "combobox", "gridcell", "link", "listbox", "menuitem",
    "menuitemcheckbox", "menuitemradio", "option", "radio", "scrollbar", "searchbox", "slider", "spinbutton", "switch",
    "tab", "textbox", "treeitem"]);
  const INPUT_ROLES = {button: "button", submit: "button", reset: "button", image: "button", checkbox: "checkbox",
    radio: "radio", range: "slider", number: "spinbutton", search: "searchbox", file: "file", color: "color",
    date: "date", time: "time", month: "month", week: "week", "datetime-local": "datetime"};
  const TAG_ROLES = {BUTTON: "button", TEXTAREA: "textbox", SUMMARY: "button", OPTION: "option", CANVAS: "canvas",
    VIDEO: "video", AUDIO: "audio", PROGRESS: "progressbar", METER: "meter", DIALOG: "dialog"};
  const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "META", "LINK", "TITLE", "DATALIST",
    "OPTION", "OPTGROUP", "SOURCE", "TRACK", "PARAM"]);
  const PRESSED = "a, button, input, select, textarea, [tabindex], [onclick]";
  const PARTS = new Set(["A", "LI", "TD", "TH", "IMG", "I"]);  // what listens through something around it
  const SHAPES = new Set(["circle", "ellipse", "rect", "path", "polygon", "polyline", "line", "image", "use"]);
  const COLOURS = {"rgb(255, 0, 0)": "red", "rgb(0, 255, 0)": "lime", "rgb(0, 128, 0)": "green",
    "rgb(0, 0, 255)": "blue", "rgb(255, 255, 0)": "yellow", "rgb(255, 165, 0)": "orange", "rgb(128, 0, 128)": "purple",
    "rgb(255, 192, 203)": "pink", "rgb(0, 255, 255)": "cyan", "rgb(255, 0, 255)": "magenta", "rgb(0, 0, 0)": "black",
    "rgb(255, 255, 255)": "white", "rgb(128, 128, 128)": "grey", "rgb(165, 42, 42)": "brown"};
  const NAME = 100;  // characters of a name that are shown
  const BLANKS = /[\s\u200b\ufeff]+/g;
  const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
  const SCROLLING = /block|flex|grid|list-item/;  // what may scroll by itself
  const SEEN = {opacityProperty: true, visibilityProperty: true};
  const PLAIN = /^(?: ?[!-~])* ?$/;  // nothing to clean
  const STACKED = /(\p{M}{2})\p{M}+/gu;

  // What a page writes must not pass for a line of the observation: a backslash before it marks it as the page's.
  const OURS = /^(?=\[\d+\]|(Task|Error|Event|Page|Scrolled):|>? ?tab \d+:|\(not everything|\(frame |\\)/;
  const quote = (text) => `"${text.replace(/["\\]/g, "\\$&")}"`;

  // The elements of a page can bear names that hide the properties of their document or form: these see through.
  const bare = (thing) => new Proxy(thing, {get: (_, name) => {
    const value = Reflect.get(Object.getPrototypeOf(thing), name, thing);
    return typeof value === "function" ? value.bind(thing) : value;
  }});
  const getter = (owner, name) => { const get = Object.getOwnPropertyDescriptor(owner.prototype, name).get; return (node) => get.call(node); };
  const parentOf = getter(Node, "parentNode"), elementAbove = getter(Node, "parentElement"), documentOf = getter(Node, "ownerDocument"), childrenOf = getter(Node, "childNodes"), tagOf = getter(Element, "tagName");
  const above = (node) => elementAbove(node) ?? Node.prototype.getRootNode.call(node).host ?? bare(documentOf(node)).defaultView?.frameElement;
  const page = bare(document);
  const HIDEABLE = ["nodeType", "tagName", "matches", "getAttribute", "hasAttribute", "querySelector", "parentElement", "ownerDocument",
    "childNodes", "childElementCount", "shadowRoot", "namespaceURI", "localName", "textContent", "innerText", "classList", "className",
    "getRootNode", "getBoundingClientRect", "tabIndex", "draggable", "isContentEditable", "isConnected", "scrollHeight", "clientHeight", "title"];
  const hidden = (form) => HIDEABLE.some((name) => form[name] !== Reflect.get(Object.getPrototypeOf(form), name, form));

  let numbers = new WeakMap(), elements = [null], marked = new WeakSet(), changed = performance.now();
  let seen = {x: 0, y: 0, focus: 0, scrollers: []};  // where things were scrolled to when last looked at
  const words = globalThis.__selfgym_words;  // the names of the two events by which page/hooks.js tells of listeners
  const watched = new WeakSet(), mutations = new MutationObserver(() => { changed = performance.now(); });
  function watch(view) {  // a window of the same origin: learn of its listeners and of its changes
    if (!watched.has(view)) {
      watched.add(view);
      view.addEventListener(words.mark, (event) => { marked.add(event.composedPath()[0]); event.stopImmediatePropagation(); }, true);
      mutations.observe(view.document, {subtree: true, childList: true, attributes: true, characterData: true});
    }
    return bare(view.document).dispatchEvent(new Event(words.ask, {cancelable: true}));
  }

  const plain = (text) => PLAIN.test(text) ? text : text.replace(UNSEEN, " ").replace(STACKED, "$1").replace(BLANKS, " ");
  const clean = (text, most = NAME) => {
    const short = plain(text.length > 4 * most + 200 ? text.slice(0, 4 * most + 200) : text).trim();
    return short.length > most ? short.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "") + "\u2026" : short;
  };
  const ends = (text, most) => {  // of a long text the beginning and the end
    const whole = clean(text, 2 * most + text.length);
    return whole.length <= most ? whole : clean(whole, Math.ceil(most * 2 / 3)) + clean(whole.slice(-Math.floor(most / 3)));
  };
  const textOf = (ids, root) => ids.split(/\s+/).map((id) => root.getElementById?.(id)?.textContent ?? "").join(" ");
  const inner = (element) => (element.childElementCount ? element.innerText : null) ?? element.textContent ?? "";

  function roleOf(element) {
    const given = element.getAttribute("role")?.trim().split(/\s+/)[0];
    if (given && given !== "presentation" && given !== "none" && /^[a-z-]{1,30}$/.test(given)) return given;
    const tag = element.tagName;
    if (tag === "INPUT") return INPUT_ROLES[element.type] ?? "textbox";
    if (tag === "A" || tag === "AREA") return element.hasAttribute("href") ? "link" : "";
    if (tag === "SELECT") return element.multiple || element.size > 1 ? "listbox" : "combobox";
    if (element.isContentEditable && !element.parentElement?.isContentEditable) return "textbox";
    return TAG_ROLES[tag] ?? "";
  }

  // The accessible name, after "Accessible Name and Description Computation 1.2" (W3C): aria-labelledby, aria-label,
  // the label of the host language, the content, the title, the placeholder.
  function nameOf(element, role) {
    const by = element.getAttribute("aria-labelledby");
    let name = by ? clean(textOf(by, element.getRootNode())) : "";
    name ||= clean(element.getAttribute("aria-label") ?? "");
    if (name) return name;
    const tag = element.tagName;
    if (tag === "INPUT" && ["button", "submit", "reset"].includes(element.type))
      return clean(element.value || element.title || (element.type === "button" ? "" : element.type));
    if (tag === "IMG" || tag === "AREA" || (tag === "INPUT" && element.type === "image"))
      return clean(element.alt || element.title || "");
    if (element.labels?.length) name = clean([...element.labels].map(labelText).join(" "));
    if (!name && !["INPUT", "TEXTAREA", "SELECT", "CANVAS"].includes(tag) && role !== "textbox") name = contentName(element);
    name ||= clean(element.getAttribute("title") ?? "") || clean(element.getAttribute("placeholder") ?? "");
    return name || (CONTROLS.has(role) && tag !== "BUTTON" ? "" : looks(element));
  }
  const labelText = (label) => {
    let text = "";
    for (const node of label.childNodes)
      if (node.nodeType === 3) text += node.data + " ";
      else if (node.nodeType === 1 && !["SELECT", "TEXTAREA", "INPUT", "SCRIPT", "STYLE"].includes(node.tagName)) text += inner(node) + " ";
    return text;
  };
  function contentName(element) {
    const text = clean(inner(element)), icon = element.querySelector?.('[class*="icon-"]:empty');
    if (text) return icon ? clean(`${text} (${icon.classList[icon.classList.length - 1]})`) : text;
    const image = element.querySelector?.("img[alt], svg[aria-label], [aria-label], title");
    return image ? clean(image.getAttribute("alt") || image.getAttribute("aria-label") || image.textContent || "") : "";
  }
  const painted = (style) => style.backgroundImage !== "none" || !["rgba(0, 0, 0, 0)", "transparent"].includes(style.backgroundColor);
  // For what has no words: its shape and colour.
  function looks(element) {
    const style = getComputedStyle(element), shape = element.namespaceURI?.endsWith("svg") ? element.localName : "";
    let colour = shape ? (style.fill === "none" ? style.stroke : style.fill) : style.backgroundColor;
    if (!shape && (colour === "rgba(0, 0, 0, 0)" || colour === "transparent")) {
      const part = element.className && typeof element.className === "string" ? element.className : "";
      return clean(part, 40);
    }
    colour = COLOURS[colour] ?? colour.replaceAll(" ", "");
    return clean(`${shape} ${colour}`, 40);
  }

  function stateOf(element, role) {
    const state = [], tag = element.tagName, aria = (name) => element.getAttribute("aria-" + name);
    if (tag === "INPUT" && (element.type === "checkbox" || element.type === "radio")) {
      state.push(element.indeterminate ? "mixed" : element.checked ? "checked" : "unchecked");
    } else if (aria("checked")) state.push(aria("checked") === "true" ? "checked" : "unchecked");
    if (aria("selected") === "true") state.push("selected");
    if (aria("pressed") === "true") state.push("pressed");
    if (aria("expanded")) state.push(aria("expanded") === "true" ? "expanded" : "collapsed");
    else if (tag === "SUMMARY") state.push(element.parentElement?.open ? "expanded" : "collapsed");
    if ((element.disabled && element.matches(":disabled")) || aria("disabled") === "true") state.push("disabled");
    if (element.readOnly && role !== "checkbox") state.push("readonly");
    if (element.required || aria("required") === "true") state.push("required");
    if (aria("current") && aria("current") !== "false") state.push("current");
    else if (element.classList.contains("active") || element.classList.contains("selected")) state.push("active");
    if (tag === "text" || tag === "tspan") state.push(COLOURS[getComputedStyle(element).fill] ?? getComputedStyle(element).fill.replaceAll(" ", ""));
    if (element.getRootNode().activeElement === element && element !== document.body) state.push("focused");
    return state;
  }

  function valueOf(element, role, most) {
    const tag = element.tagName;
    if (tag === "SELECT") return [...element.selectedOptions].map((one) => clean(one.label || one.text)).join(", ");
    if (tag === "INPUT") {
      if (["checkbox", "radio", "button", "submit", "reset", "image"].includes(element.type)) return null;
      if (element.type === "file") return [...element.files].map((file) => clean(file.name)).join(", ");
      return element.type === "password" ? "\u2022".repeat(Math.min(element.value.length, 40)) : clean(element.value, most);
    }
    if (tag === "TEXTAREA") return ends(element.value, most);
    if (tag === "PROGRESS" || tag === "METER") return String(element.value);
    if (role === "textbox") return clean(inner(element), most);
    const told = element.getAttribute("aria-valuetext") ?? element.getAttribute("aria-valuenow");
    return told && clean(told, most);
  }

  function numberOf(element) {
    let number = numbers.get(element);
    if (!number) { number = elements.push(new WeakRef(element)) - 1; numbers.set(element, number); }
    return number;
  }

  function rootOffset(element) {  // of the element's document within the top one
    let x = 0, y = 0, frame = element.ownerDocument.defaultView?.frameElement;
    while (frame) {
      const box = frame.getBoundingClientRect();
      x += box.left + frame.clientLeft; y += box.top + frame.clientTop;
      frame = frame.ownerDocument.defaultView?.frameElement;
    }
    return [x, y];
  }

  // A large thing that listens may do so for its parts: each of them is something to press.
  const wide = (node) => {
    const box = node.getBoundingClientRect();
    return box.width * box.height > innerWidth * innerHeight / 4 && node.childElementCount <= 60;
  };

  class Walk {
    constructor(options) {
      this.options = options;
      this.lines = []; this.line = ""; this.length = 0; this.found = []; this.truncated = []; this.nodes = 0;
      this.scrollers = []; this.inside = 0; this.hidden = false; this.foreign = [];
    }
    break() {
      const line = this.line.trim().replace(OURS, "\\");
      this.line = "";
      this.add(line);
    }
    add(line) {
      if (line && !this.full) { this.lines.push(line); this.length += line.length + 1; }
    }
    get full() {
      if (this.length <= this.options.most) return false;
      if (!this.truncated.includes("text")) this.truncated.push("text");
      return true;
    }
    text(data) {
      if (this.full) return;
      let short = data.length > this.options.most ? data.slice(0, this.options.most) : data;
      if (short.length < data.length && !this.truncated.includes("text")) this.truncated.push("text");
      short = short.replace(UNSEEN, " ").replace(STACKED, "$1").replace(BLANKS, " ");
      if (short !== " " || !this.line.endsWith(" ")) this.line += short;
    }
    node(node, depth, x, y, clickable) {
      if (this.nodes++ > this.options.nodes) {
        if (!this.truncated.includes("nodes")) this.truncated.push("nodes");
        return;
      }
      if (node.nodeType === 3) { if (!this.hidden) this.text(node.data); return; }
      if ((node.tagName === "FORM" || typeof node.tagName === "object") && hidden(node)) { this.form(node, depth, x, y, clickable); return; }
      if (node.nodeType !== 1 || SKIPPED.has(node.tagName)) return;
      if (depth > this.options.depth) {
        if (!this.truncated.includes("depth")) this.truncated.push("depth");
        return;
      }
      if (this.options.skip && node.matches(this.options.skip)) return;
      if (node.getAttribute("aria-hidden") === "true" && !node.matches(PRESSED) && !node.querySelector(PRESSED)) return;
      if (node.tagName === "BR") { this.break(); return; }
      const style = getComputedStyle(node), display = style.display;
      if (display === "none") return;
      const seen = node.checkVisibility(SEEN) || display === "contents";
      const before = this.hidden;
      this.hidden = !seen;
      this.element(node, style, display, seen, depth, x, y, clickable);
      this.hidden = before;
    }
    element(node, style, display, seen, depth, x, y, clickable) {
      const cell = display === "table-cell", block = display !== "contents" && !display.startsWith("inline") && !cell;
      if (block) this.break();
      if (cell && this.line.trim()) this.text(" | ");
      const role = roleOf(node), listens = marked.has(node) && node !== node.ownerDocument.body && node !== node.ownerDocument.documentElement;
      const handled = listens || node.hasAttribute("onclick") || node.hasAttribute("onmousedown");
      const leaf = node.childElementCount === 0;
      const tabbed = node.hasAttribute("tabindex") && node.tabIndex >= 0;
      const control = CONTROLS.has(role) || ["file", "color", "date", "time", "month", "week", "datetime", "canvas"].includes(role);
      const pointed = !control && style.cursor === "pointer" && node.parentElement && getComputedStyle(node.parentElement).cursor !== "pointer";
      const part = this.inside > 0 && PARTS.has(node.tagName) && !node.querySelector(PRESSED);
      const shape = !control && SHAPES.has(node.localName) && node.namespaceURI.endsWith("svg");
      const drawn = this.options.drawings && leaf && (shape || style.position === "absolute" || (painted(style) && !node.textContent.trim()));
      const acts = seen && node.tagName !== "LABEL" && (control || handled || tabbed || pointed || part || drawn || (clickable && leaf) || node.draggable);
      this.inside += handled;
      if (node.tagName === "IFRAME" || node.tagName === "FRAME") this.frame(node, depth, x, y);
      else if (acts && this.shown(node, style, role, x, y, handled || tabbed || pointed || clickable || part)) {
        const many = !leaf && (node.querySelector(PRESSED) || (!control && (node.childElementCount > 1 || node.localName === "svg")));
        if (many || role === "treeitem" || role === "gridcell") this.children(node, display, depth, x, y, handled && wide(node));
        else if (node.shadowRoot) this.children(node, display, depth, x, y, false);
      } else if (seen && shape) this.text(` (${looks(node)}) `);
      else if (seen && node.tagName === "IMG" && node.alt) this.text(` (image: ${clean(node.alt)}) `);
      else if (seen && /^H[1-6]$/.test(node.tagName)) { this.line += "#".repeat(+node.tagName[1]) + " "; this.children(node, display, depth, x, y, clickable); }
      else if (seen && node.tagName === "LI" && block) { this.line += "- "; this.children(node, display, depth, x, y, clickable); }
      else this.children(node, display, depth, x, y, clickable && seen);
      this.inside -= handled;
      if (block) this.break();
      else if (display !== "inline") this.text(" ");
    }
    form(node, depth, x, y, clickable) {  // one whose fields hide what it is: nothing but what is in it
      if (depth > this.options.depth || getComputedStyle(node).display === "none") return;
      this.break();
      for (const child of childrenOf(node)) this.node(child, depth + 1, x, y, clickable);
      this.break();
    }
    children(node, display, depth, x, y, clickable) {
      const root = node.shadowRoot ?? node;
      const nodes = node.tagName === "SLOT" && node.assignedNodes().length ? node.assignedNodes() : root.childNodes;
      if (SCROLLING.test(display) && node !== node.ownerDocument.body && ["auto", "scroll"].includes(getComputedStyle(node).overflowY) &&
          node.scrollHeight > node.clientHeight + 2 && node.clientHeight > 0)
        this.scrollers.push([numberOf(node), Math.round(node.scrollTop), node.scrollHeight - node.clientHeight]);
      for (const child of nodes) this.node(child, depth + 1, x, y, clickable);
    }
    frame(node, depth, x, y) {
      this.break();
      const box = node.getBoundingClientRect(), inside = node.contentDocument && bare(node.contentDocument).body;
      this.break();
      if (!inside) {  // of another origin: somebody else reads it, and puts it in the place of this line
        const line = `(frame ${numberOf(node)} ${clean(node.title || node.name || "")})`;
        this.foreign.push({number: numberOf(node), line, x: x + box.left + node.clientLeft, y: y + box.top + node.clientTop});
        this.add(line);
        return;
      }
      watch(node.contentWindow);
      this.children(inside, "block", depth, x + box.left + node.clientLeft, y + box.top + node.clientTop, false);
      this.break();
    }
    // Writes the line of an interactive element; false where it has no area.
    shown(node, style, role, x, y, bare) {
      let box = node.getBoundingClientRect();
      if (box.width < 1 || box.height < 1) {
        if (role !== "checkbox" && role !== "radio" && role !== "file") return false;
        const label = node.labels?.[0]?.getBoundingClientRect();  // a control drawn by its label
        if (!label || label.width < 1) return false;
        box = label;
      }
      if (this.full) { if (!this.truncated.includes("elements")) this.truncated.push("elements"); return true; }
      const name = nameOf(node, role), state = stateOf(node, role), value = valueOf(node, role, this.options.value);
      const kind = role || (node.namespaceURI?.endsWith("svg") || !bare ? "graphic" : "clickable");
      const left = Math.round(box.left + x), top = Math.round(box.top + y);
      if (left >= innerWidth || top >= innerHeight || left + box.width <= 0 || top + box.height <= 0) state.push("offscreen");
      const number = numberOf(node), entry = {number, role: kind, name, state,
        box: [left, top, Math.round(box.width), Math.round(box.height)]};
      if (!state.includes("offscreen") && !state.includes("disabled") && this.found.length < 300) {
        const px = box.left + x + box.width / 2, py = box.top + y + box.height / 2;
        if (px >= 0 && py >= 0 && px < innerWidth && py < innerHeight && within(node, deepest(px, py))) entry.point = [px, py];
      }
      let line = `[${number}] ${kind}` + (name ? ` ${quote(name)}` : "");
      if (value !== null && value !== undefined) {
        entry.value = value;
        if (value !== "" || role === "textbox" || role === "searchbox") line += ` = ${quote(value)}`;
      }
      if (node.tagName === "SELECT") {
        entry.options = [...node.options].slice(0, 200).map((one) => clean(one.label || one.text));
        const shown = entry.options.slice(0, this.options.options);
        line += " options: " + shown.map(quote).join(" | ") + (node.options.length > shown.length ? " | \u2026" : "");
        if (node.options.length > shown.length && !this.truncated.includes("options")) this.truncated.push("options");
      }
      if (this.options.boxes) line += ` @${entry.box.join(",")}`;
      if (state.length) line += ` (${state.join(", ")})`;
      this.break();
      this.add(line);
      this.found.push(entry);
      return true;
    }
  }

  function observe(options) {
    if (options.anew) { numbers = new WeakMap(); elements = [null]; }
    watch(window);
    const walk = new Walk(options), view = page.scrollingElement ?? page.documentElement;
    if (page.body) walk.node(page.body, 0, 0, 0, false);
    walk.break();
    seen = {x: scrollX, y: scrollY, focus: scrolled(), scrollers: walk.scrollers};
    return {
      text: walk.lines.join("\n"), elements: walk.found, truncated: walk.truncated, url: location.href,
      title: clean(page.title), ready: page.readyState, quiet: performance.now() - changed >= options.quiet,
      scroll: [Math.round(scrollX), Math.round(scrollY), Math.max(0, (view?.scrollWidth ?? 0) - innerWidth), Math.max(0, (view?.scrollHeight ?? 0) - innerHeight)],
      scrollers: walk.scrollers, foreign: walk.foreign, sign: Boolean(options.sign && page.querySelector(options.sign)?.checkVisibility()), moving: page.getAnimations().some((one) => one.playState === "running" && one.effect?.getComputedTiming().endTime !== Infinity),
    };
  }

  // Whether a frame would change nothing but the picture: nothing is animated or has scrolled since the last look, and
  // no script waits for one.
  const FRAMED = "iframe, frame, video, marquee, animate, animateMotion, animateTransform, set, [loading=lazy]";
  const scrolled = () => page.activeElement?.scrollTop ?? 0;
  function still() {
    return watch(window) && !page.getAnimations().length && !page.querySelector(FRAMED)
      && seen.x === scrollX && seen.y === scrollY && seen.focus === scrolled()
      && seen.scrollers.every(([number, at]) => Math.round(element(number)?.scrollTop ?? at) === at);
  }

  function element(number) {
    const found = elements[number]?.deref();
    return found?.isConnected ? found : null;
  }

  const missing = (number) => ({error: elements[number] ? "gone" : "unknown"});

  function deepest(x, y) {  // the element at a point of the top document, through frames and shadow roots
    let found = page.elementFromPoint(x, y), left = 0, top = 0;
    for (;;) {
      if (found?.shadowRoot) {
        const inside = found.shadowRoot.elementFromPoint(x - left, y - top);
        if (!inside || inside === found) return found;
        found = inside;
      } else if (found?.contentDocument) {
        const box = found.getBoundingClientRect();
        left += box.left + found.clientLeft; top += box.top + found.clientTop;
        found = found.contentDocument.elementFromPoint(x - left, y - top);
      } else return found;
    }
  }

  const within = (ancestor, node) => {  // through shadow roots
    for (; node; node = parentOf(node) ?? node.host) if (node === ancestor) return true;
    return false;
  };
  const describe = (node) => {
    if (!node) return "nothing";
    if (tagOf(node) === "FORM" && hidden(node)) return "form";
    const number = numbers.get(node), role = roleOf(node) || node.localName;
    const name = clean(nameOf(node, roleOf(node)), 40);
    return (number ? `[${number}] ` : "") + role + (name ? ` "${name}"` : "");
  };

  // Where to press to hit an element, in pixels of the viewport, scrolled into view; or why it cannot be hit.
  function point(number, need) {
    const found = element(number);
    if (!found) return missing(number);
    if (need !== "hover" && (found.matches(":disabled") || found.getAttribute("aria-disabled") === "true")) return {error: "disabled", what: describe(found)};
    const targets = [found, ...(found.labels ?? [])];
    let seen = false, cover = null;
    const before = [];  // where everything was scrolled to: what cannot be hit is left as it was
    for (const target of targets) {
      const view = target.ownerDocument.defaultView;
      let boxes = [...target.getClientRects()].filter((box) => box.width >= 1 && box.height >= 1);
      if (!boxes.length) continue;
      const [offsetX, offsetY] = rootOffset(target);
      const outside = (box) => box.left + offsetX < 0 || box.top + offsetY < 0 || box.right + offsetX > innerWidth || box.bottom + offsetY > innerHeight;
      const tryPoints = () => {
        const [dx, dy] = rootOffset(target);
        for (const box of boxes) for (const [px, py] of [[.5, .5], [.25, .5], [.75, .5], [.5, .2], [.5, .8], [.1, .1], [.9, .9], [.02, .5], [.98, .5], [.5, .02], [.5, .98]]) {
          const x = box.left + box.width * px + dx, y = box.top + box.height * py + dy;
          if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue;
          seen = true;
          const hit = deepest(x, y);
          if (within(target, hit) || (hit && hit.closest?.("label")?.control === found)) return {x, y};
          cover ??= hit;
        }
        return null;
      };
      let good = !outside(boxes[0]) || need === "stay" ? tryPoints() : null;
      if (!good && need !== "stay") {
        for (let up = target; up; up = above(up))
          before.push([up, up.scrollLeft, up.scrollTop]);
        target.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
        boxes = [...target.getClientRects()].filter((box) => box.width >= 1 && box.height >= 1);
        good = tryPoints();
      }
      if (good) return {...good, tag: found.tagName, type: found.type ?? "", editable: found.isContentEditable};
    }
    for (const [up, left, top] of before.reverse()) { up.scrollLeft = left; up.scrollTop = top; }
    return seen ? {error: "covered", what: describe(found), cover: describe(cover)} : {error: "hidden", what: describe(found)};
  }

  // Gets a field ready for typing over what it holds: focus, everything selected.
  function ready(number) {
    const found = element(number), type = found?.type ?? "";
    if (!found) return missing(number);
    if (found.readOnly) return {error: "readonly", what: describe(found)};
    const typed = found.tagName === "TEXTAREA" || found.isContentEditable ||
      (found.tagName === "INPUT" && ["text", "search", "password", "email", "url", "tel", "number"].includes(type));
    const set = found.tagName === "INPUT" && ["date", "time", "month", "week", "datetime-local", "color", "range"].includes(type);
    if (!typed && !set) return {error: "unfillable", what: describe(found)};
    found.focus({preventScroll: true});
    if (typed && found.select) found.select();
    else if (typed) { const all = found.ownerDocument.createRange(); all.selectNodeContents(found); const s = found.ownerDocument.getSelection(); s.removeAllRanges(); s.addRange(all); }
    return {how: typed ? "type" : "set", empty: typed && (found.value ?? found.textContent) === ""};
  }

  const tell = (node, ...kinds) => { for (const kind of kinds) node.dispatchEvent(new Event(kind, {bubbles: true, composed: true})); };
  function set(number, value) {  // dates, colours, sliders: what no keyboard types alike on every system
    const found = element(number);
    if (!found) return missing(number);
    found.value = value;
    if (found.value !== value && found.type !== "range" && found.type !== "color") return {error: "malformed", what: describe(found), type: found.type};
    tell(found, "input", "change");
    return {};
  }

  function choose(number, wanted) {
    const found = element(number);
    if (!found) return missing(number);
    if (found.tagName !== "SELECT") return {error: "unselectable", what: describe(found)};
    if (found.disabled) return {error: "disabled", what: describe(found)};
    const options = [...found.options];
    const picked = wanted.map((one) => options.find((o) => o.label === one || clean(o.label || o.text) === one) ?? options.find((o) => o.value === one) ?? options.find((o) => clean(o.label || o.text).toLowerCase() === one.trim().toLowerCase()));
    const unknown = picked.findIndex((one) => !one);
    if (unknown >= 0) return {error: "option", what: describe(found), option: wanted[unknown], options: options.slice(0, 30).map((o) => clean(o.label || o.text))};
    const off = picked.find((one) => one.disabled || one.parentElement.disabled);
    if (off) return {error: "option", what: describe(found), option: clean(off.text), options: options.filter((o) => !o.disabled).slice(0, 30).map((o) => clean(o.label || o.text))};
    if (!found.multiple && picked.length !== 1) return {error: "single", what: describe(found)};
    found.focus({preventScroll: true});
    for (const option of options) option.selected = picked.includes(option);
    tell(found, "input", "change");
    return {};
  }

  function press(number) {  // the synthetic click, where it is asked for by name
    const found = element(number);
    if (!found) return missing(number);
    found.click();
    return {};
  }

  function focus(number) {
    const found = element(number);
    if (!found) return missing(number);
    found.focus();
    return found.getRootNode().activeElement === found ? {} : {error: "unfocusable", what: describe(found)};
  }

  // Scrolls whatever scrolls at an element, or in the middle of the page, as a wheel would; says where nothing moved.
  function scroll(number, dx, dy) {
    if (number !== null && !element(number)) return missing(number);
    for (let node = number === null ? deepest(innerWidth / 2, innerHeight / 2) : element(number); node; node = above(node)) {
      const style = getComputedStyle(node), top = node === node.ownerDocument.documentElement || node === node.ownerDocument.body;
      if (!top && !/auto|scroll|overlay/.test(dy ? style.overflowY : style.overflowX)) continue;
      const box = top ? node.ownerDocument.scrollingElement ?? node : node, left = box.scrollLeft, up = box.scrollTop;
      box.scrollBy({left: dx, top: dy, behavior: "instant"});
      if (box.scrollLeft !== left || box.scrollTop !== up) { seen.x = NaN; return {}; }  // it is told with a frame
    }
    return {error: "unscrollable"};
  }

  // What state_key hashes beside the observation: values and markup that an observation leaves out.
  function html(most) { const all = page.documentElement?.outerHTML ?? ""; return all.length > most ? all.slice(0, most) : all; }

  globalThis.__selfgym = {
    observe, still, point, ready, set, choose, press, focus, scroll, html, element,
    changed: () => changed, at: (x, y) => describe(deepest(x, y)), what: (number) => describe(element(number)),
  };
})();
