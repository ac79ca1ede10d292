/* Keeps the page up to date: fetches the document of the view that the address names, and puts each value where it belongs. */
(function () {
  "use strict";

  const CHOICES = ["experiment", "window", "baseline", "challenger"];
  const THEMES = ["auto", "light", "dark"];
  const SOON_MS = 1000;
  const LONGEST_ANSWER_MS = 15000;
  const LONGEST_NAME = 100;
  const LIST = "provenance";
  const turn = Math.random(); // which of all browsers this is, so that not all of them ask at the same moment
  const state = { etag: null, shown: null, document: null, answeredAt: null, paused: false, running: false, again: false, search: null, timer: null, queue: [], started: false, clock: 0 };
  const viewer = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const darkWanted = window.matchMedia("(prefers-color-scheme: dark)");

  const element = (id) => document.getElementById(id);
  const base = () => new URL(".", document.baseURI.split(/[?#]/)[0]).pathname;

  function chosen() {
    return inOrder(new URLSearchParams(location.search));
  }

  /* The choices alone, always in the same order, so that one view has one address. */
  function inOrder(given) {
    const view = new URLSearchParams();
    for (const name of CHOICES) if (given.get(name)) view.set(name, given.get(name));
    return view;
  }

  /* One refresh; calls that come while it runs make it run once more, since the view may have changed meanwhile. */
  async function refresh(isForced) {
    start();
    if (state.running) {
      state.again = state.again || isForced === true;
      return;
    }
    if (state.paused && isForced !== true) return;
    state.running = true;
    try {
      do {
        state.again = false;
        await once();
      } while (state.again);
    } finally {
      state.running = false;
    }
  }

  async function once() {
    const view = chosen().toString();
    const headers = { "X-Requested-With": "live-dashboards", "X-Viewer": viewer };
    if (state.etag && state.search === view) headers["If-None-Match"] = state.etag;
    let response;
    try {
      const options = { headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(LONGEST_ANSWER_MS) };
      response = await fetch(base() + "api/v1/page" + (view ? "?" + view : ""), options);
    } catch (error) {
      tell("The dashboard's server does not answer. What you see is older.", "alarm");
      age();
      return;
    }
    if (view !== chosen().toString()) {
      state.again = true;
      return;
    }
    await take(response, view);
  }

  async function take(response, view) {
    if (response.status === 401) {
      if (element("page").dataset.login) location.assign(base() + "login?next=" + encodeURIComponent(location.pathname + location.search));
      else location.reload(); // the proxy asks for its own login
      return;
    }
    state.clock = (Date.parse(response.headers.get("Date")) || Date.now()) - Date.now();
    soon(response.headers.get("X-Next-Seconds"));
    if (response.status === 304) {
      tell("", "");
      return;
    }
    const found = await response.json().catch(() => ({}));
    if (response.status === 200 && !found.props) {
      tell("Something else than the dashboard's server answered, perhaps a login page: reload this page. What you see is older.", "alarm");
      return;
    }
    if (response.status === 200) {
      state.etag = response.headers.get("ETag");
      state.search = view;
      show(found);
      tell("", "");
    } else if (response.status === 202) {
      tell(state.search === view ? "" : "Asking the sources for this view …", "");
      at(SOON_MS);
    } else {
      state.etag = null;
      tell("This view cannot be shown: " + (found.error || "error " + response.status) + ". ", "alarm", true);
      unlock();
    }
  }

  /* When the server expects something new; a second later, so that it is there, and by up to a tenth more, each browser in its turn. Where it expects
     nothing, after an interval. */
  function soon(seconds) {
    const usual = Number(element("page").dataset.interval) * 1000;
    const wait = seconds === null ? usual : Math.max(SOON_MS, Math.min((Number(seconds) + 1) * 1000, usual));
    at(Math.round(wait * (1 + turn / 10)));
  }

  function at(milliseconds) {
    window.clearTimeout(state.timer);
    state.timer = window.setTimeout(onTime, milliseconds);
  }

  /* Not while charts wait to be drawn: on a slow machine those out of sight would never be. */
  function onTime() {
    state.timer = null;
    if (state.queue.length) at(SOON_MS);
    else refresh();
  }

  function show(found) {
    state.document = found;
    state.answeredAt = Date.parse(found.at);
    document.title = found.title;
    const dark = isDark() ? found.dark : null;
    const figures = [];
    for (const [id, props] of Object.entries(found.props)) {
      const known = (state.shown && state.shown[id]) || {};
      const changed = {};
      for (const [name, value] of Object.entries(props)) {
        if (name === "figure") {
          if (state.theme !== dark || JSON.stringify(known[name]) !== JSON.stringify(value)) figures.push([id, dark ? recoloured(value, dark) : value]);
        } else if (JSON.stringify(known[name]) !== JSON.stringify(value)) {
          changed[name] = value;
        }
      }
      if (id === LIST) put(element(id), [props.children]);
      else if (Object.keys(changed).length) dash_clientside.set_props(id, changed);
    }
    draw(figures);
    state.theme = dark;
    state.shown = found.props;
    choices(found.controls);
    links();
    age();
    window.setTimeout(find, 0);
  }

  /* The list of all numbers has thousands of parts. Each of them as a component would be looked through at every change of any other, for seconds; so it is put
     there without Dash, and what did not change stays as it is, opened and scrolled. */
  function put(place, parts) {
    const wanted = parts.flat().filter((part) => part !== null && part !== undefined);
    wanted.forEach((part, index) => {
      const known = place.childNodes[index];
      const node = built(part, known);
      if (!known) place.append(node);
      else if (node !== known) known.replaceWith(node);
    });
    while (place.childNodes.length > wanted.length) place.lastChild.remove();
  }

  function built(part, known) {
    if (typeof part !== "object") return known && known.nodeType === Node.TEXT_NODE && known.data === String(part) ? known : document.createTextNode(part);
    const { children, className, ...attributes } = part.props;
    const node = known && known.nodeName === part.type.toUpperCase() ? known : document.createElement(part.type);
    node.className = className || "";
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    put(node, [children]);
    return node;
  }

  /* Charts take long: the words stand first, then one chart after the other, those in sight before the others. One that waits is of an older answer than the
     words around it, and pale. */
  function draw(figures) {
    const wasDrawing = state.queue.length > 0;
    for (const [id] of figures) frameOf(id).setAttribute("aria-busy", "true");
    const newer = new Set(figures.map(([id]) => id));
    state.queue = [...state.queue.filter(([id]) => !newer.has(id)), ...figures];
    if (!wasDrawing && state.queue.length) window.setTimeout(drawNext, 0);
  }

  /* What holds the chart; the chart's own element is another one once its library has come. */
  const frameOf = (id) => element(id.replace(/-chart$/, "-figure"));

  function drawNext() {
    const inSight = state.queue.findIndex(([id]) => isInSight(frameOf(id)));
    const [[id, figure]] = state.queue.splice(Math.max(0, inSight), 1);
    dash_clientside.set_props(id, { figure });
    window.setTimeout(() => state.queue.some(([waiting]) => waiting === id) || frameOf(id).removeAttribute("aria-busy"), 0);
    if (state.queue.length) window.setTimeout(drawNext, 0);
  }

  function isInSight(place) {
    const box = place.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight;
  }

  /* The same figure in the colours of the dark theme. */
  function recoloured(value, dark) {
    if (typeof value === "string") return dark[value] || dark[value.toUpperCase()] || value;
    if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((part) => recoloured(part, dark));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, recoloured(part, dark)]));
    return value;
  }

  // Names come from others: what turns or hides letters is taken out of what is shown of them, and none is endless.
  function shownName(name) {
    const plain = name.replace(/\s+/gu, " ").replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/gu, "");
    return plain.length > LONGEST_NAME ? plain.slice(0, LONGEST_NAME - 1) + "…" : plain;
  }

  function choices(controls) {
    for (const name of CHOICES) {
      const select = element("choose-" + name);
      const { options, value } = controls[name];
      const wanted = options.map((option) => option).join("\u0000");
      if (select.dataset.options !== wanted) {
        select.replaceChildren(...options.map((option) => Object.assign(document.createElement("option"), { value: option, textContent: shownName(option) })));
        select.dataset.options = wanted;
      }
      select.value = value === null ? "" : value;
      select.disabled = options.length < 2;
    }
  }

  function unlock() {
    for (const name of CHOICES) element("choose-" + name).disabled = false;
  }

  function links() {
    const view = chosen().toString();
    for (const link of document.querySelectorAll("a.download")) link.href = base() + link.dataset.path + (view ? "?" + view : "");
  }

  function tell(words, kind, hasWayBack) {
    const notice = element("notice");
    const parts = [words];
    if (hasWayBack) parts.push(Object.assign(document.createElement("a"), { href: base(), textContent: "Show the default view" }));
    notice.replaceChildren(...parts);
    notice.className = "notice " + kind;
  }

  function age() {
    if (state.answeredAt === null) return;
    const seconds = Math.max(0, Math.round((Date.now() + state.clock - state.answeredAt) / 1000));
    const words = seconds < 90 ? seconds + " s" : seconds < 5400 ? Math.round(seconds / 60) + " min" : Math.round(seconds / 3600) + " h";
    const isOld = seconds > state.document.limit_seconds;
    element("age").textContent = (state.paused ? "Paused. " : "") + "Asked " + words + " ago" + (isOld ? ": not live any more" : "");
    element("badge").classList.toggle("is-old", isOld);
  }

  /* Themes: the choice stays with this browser. */
  function isDark() {
    const wanted = document.documentElement.dataset.theme;
    return wanted === "dark" || (wanted !== "light" && darkWanted.matches);
  }

  function setTheme(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const button = element("theme");
    if (button) button.textContent = "Theme: " + theme;
    if (state.document) show(state.document);
  }

  function kept() {
    try {
      return THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto";
    } catch (error) {
      return "auto"; // storage is closed in some private windows
    }
  }

  function nextTheme() {
    const theme = THEMES[(THEMES.indexOf(kept()) + 1) % THEMES.length];
    try {
      localStorage.setItem("theme", theme);
    } catch (error) {
      document.documentElement.dataset.unsaved = "true";
    }
    setTheme(theme);
  }

  function choose(name, value) {
    const view = chosen();
    if (value) view.set(name, value);
    if (name === "experiment") ["baseline", "challenger"].forEach((other) => view.delete(other));
    const shown = state.document && state.document.controls;
    if (name === "baseline" && shown && shown.challenger.value === value) view.set("challenger", shown.baseline.value); // they change places
    const search = inOrder(view).toString();
    history.pushState(null, "", location.pathname + (search ? "?" + search : ""));
    tell("Asking the sources for this view …", "");
    links();
    refresh(true);
  }

  function pause() {
    state.paused = !state.paused;
    const button = element("pause");
    button.setAttribute("aria-pressed", String(state.paused));
    button.textContent = state.paused ? "Resume" : "Pause";
    age();
    if (!state.paused) refresh(true);
  }

  function find() {
    const words = element("find-number").value.trim().toLowerCase();
    for (const row of document.querySelectorAll("#provenance-rows tr")) row.hidden = words !== "" && !row.textContent.toLowerCase().includes(words);
  }

  function start() {
    if (state.started) return;
    state.started = true;
    for (const name of CHOICES) element("choose-" + name).addEventListener("change", (event) => choose(name, event.target.value));
    element("pause").addEventListener("click", pause);
    element("theme").addEventListener("click", nextTheme);
    element("open-drawer").addEventListener("click", () => element("drawer").showModal());
    element("close-drawer").addEventListener("click", () => element("drawer").close());
    element("find-number").addEventListener("input", find);
    window.addEventListener("popstate", () => chosen().toString() !== state.search && refresh(true));
    document.addEventListener("visibilitychange", () => document.hidden || refresh());
    darkWanted.addEventListener("change", () => state.document && show(state.document));
    window.setInterval(age, 1000);
    setTheme(kept());
  }

  setTheme(kept());
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    live_page: {
      /* The page's own clock ticks once an interval; it is what starts, and what goes on where an answer did not name the next moment. */
      refresh: function () {
        if (state.timer === null) refresh();
        return dash_clientside.no_update;
      },
    },
  });
})();
