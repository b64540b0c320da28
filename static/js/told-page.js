// The entry of pages that show nothing live: who is monitored is told so here too.

import {PanelSocket} from "./socket.js";
import {Store} from "./store.js";
import {Told} from "./told.js";

const root = document.querySelector("[data-told]");
const store = new Store();
const socket = new PanelSocket(root.dataset.told, store);
new Told({root, store});
store.subscribe(() => socket.sayShown());
socket.start();
