// The entry: builds the parts of the page and joins them.

import {Actions} from "./actions.js";
import {Ask} from "./ask.js";
import {Clock} from "./clock.js";
import {Dock} from "./dock.js";
import {isSlash} from "./gridkeys.js";
import {Link} from "./link.js";
import {Menu} from "./menu.js";
import {countInRail} from "./rail.js";
import {PanelSocket} from "./socket.js";
import {Status} from "./status.js";
import {Store} from "./store.js";
import {Toasts} from "./toast.js";
import {Told} from "./told.js";
import "./calls.js";
import "./conferences.js";

const part = name => document.querySelector(`[data-${name}]`);
const board = document.querySelector("[data-socket]");
const search = part("search");

const store = new Store();
const socket = new PanelSocket(board.dataset.socket, store);
const clock = new Clock(store.clock);
const toasts = new Toasts(part("toasts"));
const link = new Link({store, socket, clock, pill: part("pill"), banner: part("banner")});
const actions = new Actions(socket, store);

board.begin({
  store, socket, link, clock, actions, toasts,
  ask: new Ask(part("ask"), store),
  menu: new Menu(part("menu")),
  status: new Status(part("status")),
});

new Told({root: part("told"), store});
new Dock({root: part("dock"), store, actions, clock, link, toasts});

const title = document.title;

function followCounts({waiting}) {
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

/** The server was renewed while the page stood open: its scripts may be yesterday's. */
function followServer(build) {
  document.documentElement.dataset.build ??= build;
  if (document.documentElement.dataset.build === build) return;
  document.documentElement.dataset.build = build;
  toasts.show({text: gettext("The panel was updated."), button: {label: gettext("Reload"), press: () => location.reload()}});
}

/** What she sees is a part of the floor: said beside the pill. When it became another while she looked, she is told. */
let scopeWords = null;

function followScope({whole, words}) {
  const place = part("scope");
  place.hidden = whole;
  place.textContent = place.title = words;
  if (scopeWords !== null && scopeWords !== words) toasts.show({text: interpolate(gettext("What you may see has changed. %(scope)s."), {scope: words}, true)});
  scopeWords = words;
}

function signIn() {
  const login = new URL(document.documentElement.dataset.login, location.href);
  login.searchParams.set("next", location.pathname + location.search);
  location.assign(login);
}

function searchKey(event) {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || !isSlash(event)) return;
  event.preventDefault();
  search.select();
  search.focus();
}

search.value = board.query;
search.addEventListener("input", () => { board.query = search.value; });
search.addEventListener("keydown", event => {
  if (event.key !== "Escape") return;
  search.value = board.query = "";
  search.blur();
});
board.addEventListener("show-all", () => { search.value = ""; });
board.addEventListener("counts", event => followCounts(event.detail));
document.addEventListener("keydown", searchKey);
socket.addEventListener("signed-out", signIn);
socket.addEventListener("hello", event => followServer(event.detail.server));
socket.addEventListener("hello", event => followScope(event.detail.scope));

countInRail(store);
clock.start();
socket.start();

// For the tests and the benchmarks, which look at what the page holds.
window.phoenix = {store, socket};
